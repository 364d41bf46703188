/** Opens connections through another host, such as a jumphost. */
import type { Socket } from 'node:net';
import { errorText } from '@skolo/base';
import { DeviceTimeout, DeviceUnreachable } from '../errors.ts';
import type { Dial, Target } from '../session.ts';
import { type Limit, withinLimit } from './limit.ts';

/** @throws DeviceUnreachable, DeviceTimeout */
export async function dialed(
  { name, address, port }: Target,
  dial: Dial,
  limit: Limit,
): Promise<Socket> {
  const late = (how: string) =>
    new DeviceTimeout(name, `no connection to ${address}:${port}${how}`);
  const stop = new AbortController();
  return await withinLimit<Socket>(limit, late, (resolve, reject) => {
    dial(address, port, stop.signal).then(resolve, (error: unknown) =>
      reject(new DeviceUnreachable(name, errorText(error), { cause: error })),
    );
    // Closes a connection that was opened too late.
    return () => stop.abort();
  });
}
