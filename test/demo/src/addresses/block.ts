/**
 * Addresses of one demo: 127.101.0.0/16, or the next such block that no other demo on this computer has. The services are at
 * .0.1, machines at .1.x, equipment at .2.x, so that two demos can use the same ports. Tests use 127.0.0.0/16.
 *
 * A demo holds its block by listening on a port of it, so that the block is free again whatever ends the demo.
 */
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { hasManyLoopbackAddresses } from './ports.ts';

export interface Block {
  /** The first two numbers of its addresses: `127.101`. */
  readonly prefix: string;
  /** Where the services listen. */
  readonly host: string;
  /** Undefined: this computer has one loopback address, and so does the rack. */
  readonly machineHost: string | undefined;
  /** The text of a rack.yaml of the demo, with the addresses of this block instead of those that it has. */
  readdress(text: string): string;
  release(): Promise<void>;
}

/** All addresses, or the only one, are in use by other demos. */
export class NoFreeBlock extends Error {
  readonly code = 'NO_FREE_BLOCK';
}

const [first, last] = [101, 200];
const blockPattern = /(?<![\d.])127\.(1[0-9][0-9]|200)\.(?=\d)/;
/** Of racks/demo before 2026-11-24: machines and equipment at 127.0.1.x and 127.0.2.x. */
const previousPattern = /(?<![\d.])127\.0\.(?=[12]\.\d)/g;
/** Nothing else of the demo listens there. */
const heldPort = 22_020;

/**
 * Takes a block: the one that the text has, where it is free, so that an address is the same after each start.
 *
 * @param text rack.yaml of the demo as it was found, or the original
 * @throws NoFreeBlock
 */
export async function takeBlock(text: string): Promise<Block> {
  if (!(await hasManyLoopbackAddresses())) {
    const held = await hold('127.0.0.1');
    if (held) return block(0, held);
    throw new NoFreeBlock(
      'This computer has one loopback address, and another demo uses it: end that one first.',
    );
  }
  const found = Number(blockPattern.exec(text)?.[1] ?? first);
  const all = Array.from({ length: last - first + 1 }, (_, index) => first + index);
  for (const number of new Set([Math.max(found, first), ...all])) {
    const held = await hold(`127.${number}.0.1`);
    if (held) return block(number, held);
  }
  throw new NoFreeBlock(
    `Port ${heldPort} is in use at 127.${first}.0.1 and all addresses up to 127.${last}.0.1: end a demo, or what listens there.`,
  );
}

function block(number: number, held: Server): Block {
  const prefix = `127.${number}`;
  return {
    prefix,
    host: `${prefix}.0.1`,
    machineHost: number === 0 ? undefined : `${prefix}.1.1`,
    readdress: (text) =>
      text
        .replaceAll(new RegExp(blockPattern, 'g'), `${prefix}.`)
        .replaceAll(previousPattern, `${prefix}.`),
    async release() {
      held.close();
      await once(held, 'close');
    },
  };
}

/** Undefined: another demo has it. */
async function hold(host: string): Promise<Server | undefined> {
  const server = createServer((socket) => socket.destroy());
  try {
    server.listen({ host, port: heldPort, exclusive: true });
    await once(server, 'listening');
    server.unref();
    return server;
  } catch {
    return undefined;
  }
}
