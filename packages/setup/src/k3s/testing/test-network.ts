/** A network for the computers of a process of tests: others have theirs up at the same time. */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';

/** `192.168.77`; a process that a test starts has that of the test. */
export const network = process.env.SKOLO_TEST_NETWORK ?? (await claim());
process.env.SKOLO_TEST_NETWORK = network;
/** Name of a switch in it. */
export const bridge = `skolo-${network.split('.').at(-1)}`;

/**
 * The kernel gives the name of an abstract socket to one process, and releases it when that process ends, even by kill -9. A cable
 * of a computer that was killed may still be there then, and would take the packets for ours: such a network is left alone.
 */
async function claim(): Promise<string> {
  // In this file, addresses are numbers of this computer's byte order, and all computers that run tests are little-endian.
  const routes = await readFile('/proc/net/route', 'utf8').catch(() => '');
  for (let third = 64; third < 128; third++) {
    if (routes.includes(`\t00${third.toString(16).toUpperCase()}A8C0\t`)) continue;
    const server = createServer().listen(`\0skolo-test-network-${third}`).unref();
    try {
      await once(server, 'listening');
    } catch {
      continue;
    }
    return `192.168.${third}`;
  }
  throw new Error('all test networks are taken: 64 processes of tests run');
}
