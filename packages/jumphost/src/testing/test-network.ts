/** A network for the computers of a process of tests: others have theirs up at the same time. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** `192.168.77`; a process that a test starts has that of the test. */
export const network = process.env.SKOLO_TEST_NETWORK ?? claim();
process.env.SKOLO_TEST_NETWORK = network;
/** Name of a switch in it. */
export const bridge = `skolo-${network.split('.').at(-1)}`;

function claim(): string {
  for (let third = 64; third < 128; third++) {
    const file = join(tmpdir(), `skolo-test-network-${third}`);
    if (isTaken(file)) continue;
    rmSync(file, { force: true });
    try {
      writeFileSync(file, `${process.pid}`, { flag: 'wx' });
    } catch {
      continue;
    }
    process.once('exit', () => rmSync(file, { force: true }));
    return `192.168.${third}`;
  }
  throw new Error(`all test networks are taken; remove ${tmpdir()}/skolo-test-network-*`);
}

function isTaken(file: string): boolean {
  try {
    process.kill(Number(readFileSync(file, 'utf8')), 0);
    return true;
  } catch {
    return false;
  }
}
