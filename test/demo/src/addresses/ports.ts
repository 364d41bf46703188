import { once } from 'node:events';
import { createServer } from 'node:net';

/** The first of the address's `wanted` ports that is free now, or else any free one; never one of `taken`. */
export async function choosePort(
  wanted: readonly number[],
  address: string,
  taken: ReadonlySet<number> = new Set(),
): Promise<number> {
  for (const port of wanted) {
    if (!taken.has(port) && (await isFree(port, address))) return port;
  }
  for (;;) {
    const port = await tryPort(address, 0);
    if (port === undefined) throw new Error(`no port of ${address} is free`);
    if (!taken.has(port)) return port;
  }
}

/** Whether the port is free now. */
export async function isFree(port: number, address: string): Promise<boolean> {
  return (await tryPort(address, port)) !== undefined;
}

/** Whether this computer has all of 127.0.0.0/8 (Linux), or only 127.0.0.1 (macOS). */
export async function hasManyLoopbackAddresses(): Promise<boolean> {
  return (await tryPort('127.0.1.1', 0)) !== undefined;
}

/** Listens for a moment. Returns the port, or undefined if that fails. */
async function tryPort(address: string, port: number): Promise<number | undefined> {
  const server = createServer();
  try {
    server.listen({ host: address, port, exclusive: true });
    await once(server, 'listening');
  } catch {
    return undefined;
  }
  const bound = server.address();
  server.close();
  await once(server, 'close');
  return typeof bound === 'object' && bound !== null ? bound.port : undefined;
}
