/**
 * A demo's addresses: 127.101.0.0/16, or the next such block that no other demo on this computer uses. The services are at .0.1, machines
 * at .1.x, equipment at .2.x, so that two demos can use the same ports. Tests use 127.0.0.0/16.
 *
 * A demo reserves its block by listening on a port of it, so that the block is free again however the demo ends.
 */
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { hasManyLoopbackAddresses } from './ports.ts';

export interface Block {
  /** The first two numbers of its addresses: `127.101`. */
  readonly prefix: string;
  /** The services' address. */
  readonly host: string;
  /** Undefined: this computer, and therefore the rack, has only one loopback address. */
  readonly machineHost: string | undefined;
  /** The text of a demo's rack.yaml, with its addresses replaced by those of this block. */
  readdress(text: string): string;
  release(): Promise<void>;
}

/** All addresses, or the only one, are used by other demos. */
export class NoFreeBlock extends Error {
  readonly code = 'NO_FREE_BLOCK';
}

const [first, last] = [101, 200];
const blockPattern = /(?<![\d.])127\.(1[0-9][0-9]|200)\.(?=\d)/;
/** From racks/demo before 2026-11-24: machines and equipment at 127.0.1.x and 127.0.2.x. */
const previousPattern = /(?<![\d.])127\.0\.(?=[12]\.\d)/g;
/** Nothing else of the demo listens on it. */
const heldPort = 22_020;

/**
 * Reserves a block: the one in the text if it is free, so that addresses stay the same across starts.
 *
 * @param text the demo's existing rack.yaml, or the original
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

/** Undefined: another demo uses it. */
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
