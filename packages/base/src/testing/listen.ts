import { once } from 'node:events';
import type { AddressInfo, Server } from 'node:net';
import { onTestFinished } from 'vitest';
import type { AtTheEnd } from './temp-dir.ts';

/** A free port of the host on which the server listens until the test ends, or until what `atTheEnd` receives. */
export async function listen(
  server: Server & { closeAllConnections?(): void },
  atTheEnd: AtTheEnd = onTestFinished,
  host = '127.0.0.1',
): Promise<number> {
  await once(server.listen(0, host), 'listening');
  atTheEnd(async () => {
    server.close();
    server.closeAllConnections?.();
  });
  return (server.address() as AddressInfo).port;
}
