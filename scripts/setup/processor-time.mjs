/**
 * A vitest setup file: records each test file's CPU time in its `meta`, including the programs that the file started and waited for. Other
 * work on the computer slows tests down, but hardly changes this figure.
 */
import { readFileSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { afterAll } from 'vitest';

/** @typedef {import('vitest').TaskMeta & { processorSeconds?: number }} FileMeta */

const before = processorSeconds();
// biome-ignore lint/correctness/noEmptyPattern: vitest reads from it which fixtures there have to be: none
afterAll(({}, /** @type {{ meta: FileMeta }} */ file) => {
  file.meta.processorSeconds = processorSeconds() - before;
  // Vitest ends its processes by a signal, but Node only writes its compile cache on exit.
  flushCompileCache();
});

/** CPU time of this process and, on Linux, of its exited children. */
function processorSeconds() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6 + (process.platform === 'linux' ? secondsOfChildren() : 0);
}

function secondsOfChildren() {
  const stat = readFileSync('/proc/self/stat', 'utf8');
  // Fields 16 and 17 of proc(5), in ticks. The second field is a name in parentheses, which may contain spaces.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[13]) + Number(fields[14])) / 100;
}
