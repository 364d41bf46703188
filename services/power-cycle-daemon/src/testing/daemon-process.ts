/** The daemon as its own process, so that it can be killed. */
import { join } from 'node:path';
import { type Client, createClient, powerCycleDaemonApi } from '@skolo/api';
import type { AtTheEnd } from '@skolo/base/testing';
import { type OwnProcess, startOwnProcess } from '@skolo/common/testing/own-process';
import { clientTimeoutMs } from './daemon.ts';

const main = join(import.meta.dirname, '../main.ts');

export interface DaemonProcess extends OwnProcess {
  client: Client<typeof powerCycleDaemonApi>;
}

/** @param dir contains rack.yaml; the state is below it */
export async function startDaemonProcess(
  dir: string,
  token: string,
  atTheEnd?: AtTheEnd,
  flags?: Readonly<Record<string, string>>,
): Promise<DaemonProcess> {
  const started = await startOwnProcess(main, dir, { atTheEnd, ...(flags && { flags }) });
  return {
    ...started,
    client: createClient(powerCycleDaemonApi, {
      baseUrl: started.url,
      token,
      timeoutMs: clientTimeoutMs,
    }),
  };
}
