/** The way to the services of a rack alone: ssh, and no cluster. */
import type { FleetRack } from './clusters.ts';
import { startGuardian } from './guardian.ts';
import { noJumphost, type OpenOptions } from './open-rack.ts';
import { Tunnel } from './tunnel.ts';
import { type Open, tunnelFetch } from './tunnel-fetch.ts';

export interface OpenServices {
  /** Requests through the jumphost, to any address that it reaches. They are marked as forwarded. */
  fetch: typeof fetch;
  /** A connection to such an address, without a mark. */
  connect: Open;
  close(): Promise<void>;
}

/** @throws FleetError The message says what to do. @throws The signal's reason. */
export async function openServices(
  rack: FleetRack,
  { env, mayAsk, signal, onTrouble = () => {} }: Omit<OpenOptions, 'role'>,
): Promise<OpenServices> {
  if (rack.type === 'gke') throw noJumphost(rack);
  const { name, ways } = rack;
  const guardian = await startGuardian(env);
  const tunnel = new Tunnel({
    ...{ name, ways, guardian, env, mayAsk },
    onLost: onTrouble,
    onConnected() {},
  });
  async function close() {
    await tunnel.close();
    await guardian.close();
  }
  try {
    await tunnel.start(signal);
  } catch (error) {
    await close();
    throw error;
  }
  const connect: Open = (host, port, deadline) => tunnel.open(host, port, deadline);
  return { fetch: tunnelFetch(connect), connect, close };
}
