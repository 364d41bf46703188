/**
 * A setup file of vitest: notes the processor time of each test file in its `meta`, with that of the programs that the file
 * started and waited for. Other work on the machine makes tests slower, and this figure hardly larger.
 */
import { readFileSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { afterAll } from 'vitest';

/** @typedef {import('vitest').TaskMeta & { processorSeconds?: number }} FileMeta */

const before = processorSeconds();
// biome-ignore lint/correctness/noEmptyPattern: vitest reads from it which fixtures there have to be: none
afterAll(({}, /** @type {{ meta: FileMeta }} */ file) => {
  file.meta.processorSeconds = processorSeconds() - before;
  // Vitest ends its processes by a signal, and Node would write what it has compiled only at an exit.
  flushCompileCache();
});

/** What this process has used, and on Linux its children that have ended. */
function processorSeconds() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6 + (process.platform === 'linux' ? secondsOfChildren() : 0);
}

function secondsOfChildren() {
  const stat = readFileSync('/proc/self/stat', 'utf8');
  // Field 16 and 17 of proc(5), in ticks. The second field is a name in brackets, which may have spaces.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[13]) + Number(fields[14])) / 100;
}
