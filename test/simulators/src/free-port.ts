/**
 * Ports of loopback for programs that cannot be told to take any, and for those that are started again where they were.
 *
 * They are below those that a system hands out by itself (Linux: `net.ipv4.ip_local_port_range`, from 32768 on), so that nobody else
 * gets one by chance before the program has it, or while it is away.
 */
import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';

const [first, end] = [20_000, 32_000];
/** Two programs of one test never get the same. */
const given = new Set<number>();

export async function freeTcpPort(host = '127.0.0.1'): Promise<number> {
  return await firstFree(async (port) => {
    const server = createServer().listen(port, host);
    await once(server, 'listening');
    server.close();
    await once(server, 'close');
  });
}

export async function freeUdpPort(): Promise<number> {
  return await firstFree(async (port) => {
    const socket = createSocket('udp4').bind(port, '127.0.0.1');
    await once(socket, 'listening');
    socket.close();
    await once(socket, 'close');
  });
}

async function firstFree(take: (port: number) => Promise<void>): Promise<number> {
  for (;;) {
    const port = randomInt(first, end);
    if (given.has(port)) continue;
    given.add(port);
    try {
      await take(port);
      return port;
    } catch (error) {
      // Somebody has it.
      if (!(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')) throw error;
    }
  }
}
