/** A network for the computers of a process of tests: others have theirs up at the same time. */
import { once } from 'node:events';
import { createServer } from 'node:net';

/** `192.168.77`; a process that a test starts has that of the test. */
export const network = process.env.SKOLO_TEST_NETWORK ?? (await claim());
process.env.SKOLO_TEST_NETWORK = network;
/** Name of a switch in it. */
export const bridge = `skolo-${network.split('.').at(-1)}`;

/** The kernel gives the name of an abstract socket to one process, and releases it when that process ends, even by kill -9. */
async function claim(): Promise<string> {
  for (let third = 64; third < 128; third++) {
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
