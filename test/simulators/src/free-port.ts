/**
 * Assigns TCP and UDP ports of loopback: to programs that cannot be told to take any, and to servers that are closed and opened again.
 *
 * Each process reserves blocks of ports, as long as it runs, by listening on the first one of each. So no other test gets a port before
 * its program listens on it, or while its server is closed. A system does not assign these ports by itself (Linux:
 * `net.ipv4.ip_local_port_range`, from 32768 on; node ports of Kubernetes: from 30000 on).
 */
import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { errorCode } from '@skolo/base';

const [first, end, perBlock] = [12_000, 30_000, 100];
/** A process with many servers gives back its oldest block: by then, they listen on its ports. */
const mostBlocks = 4;
const tries = 1000;
const blocks: Server[] = [];
/** What is left of the latest block. */
const left: number[] = [];
/** One at a time, whoever waits: of many at once, the oldest would be given back before a port of theirs is used. */
let reserving: Promise<void> | undefined;

export async function freeTcpPort(host = '127.0.0.1'): Promise<number> {
  return await onFreePort(async (port) => {
    const server = createServer().listen(port, host);
    await once(server, 'listening');
    server.close();
    await once(server, 'close');
  });
}

export async function freeUdpPort(): Promise<number> {
  return await onFreePort(async (port) => {
    const socket = createSocket('udp4').bind(port, '127.0.0.1');
    await once(socket, 'listening');
    socket.close();
    await once(socket, 'close');
  });
}

/** Listens on the first port where that is possible: programs of other users, or of a test that was killed, may have one. */
export async function onFreePort(listen: (port: number) => Promise<void>): Promise<number> {
  for (let again = tries; ; again -= 1) {
    try {
      const port = left.shift();
      if (port === undefined) {
        reserving ??= reserveBlock().finally(() => (reserving = undefined));
        await reserving;
      } else {
        await listen(port);
        return port;
      }
    } catch (error) {
      if (errorCode(error) !== 'EADDRINUSE' || again === 0) throw error;
    }
  }
}

async function reserveBlock(): Promise<void> {
  const port = randomInt(first / perBlock, end / perBlock) * perBlock;
  const block = createServer().unref().listen(port, '127.0.0.1');
  await once(block, 'listening');
  left.push(...Array.from({ length: perBlock - 1 }, (_, i) => port + 1 + i));
  blocks.push(block);
  if (blocks.length > mostBlocks) blocks.shift()?.close();
}
