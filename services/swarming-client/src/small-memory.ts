/**
 * The agent shares a Pi with 1 GB with a bot and its tasks, and has little to do: V8 runs it without its optimising compilers. Imported
 * first, before anything is compiled.
 *
 * Measured with a phone and a bot (Node 24.21, x86-64): after two idle minutes 74 MB are resident, 81 with `--lite-mode`, which
 * was best on Node 20; the slowest hundredth of hooks takes 7.5 instead of 10.0 ms (medians of five pairs).
 * Idle on Node 20.20, after a minute: 60.5 with one collection, 59.8 with two, 58.2 with two that throw away what
 * was compiled. It comes back slowly, so they are repeated; each costs 60 to 150 ms of a busy machine.
 */
import { setFlagsFromString } from 'node:v8';
import { collectGarbage } from '@skolo/common/collect-garbage';

/** By then everything is loaded, even on a slow machine. */
const startMs = 20_000;
/** V8 alone waits until such a small heap has grown by megabytes. */
const everyMs = 120_000;

/** Node 22 is for arm/v7, whose V8 has no Maglev. */
const hasMaglev = Number(process.versions.node.split('.')[0]) >= 24;
const flags = [
  ...(hasMaglev ? ['--no-maglev'] : []),
  '--no-opt',
  '--no-sparkplug',
  '--optimize-for-size',
  '--semi-space-growth-factor=1',
];
for (const flag of flags) setFlagsFromString(flag);
setTimeout(() => {
  collectGarbage();
  setInterval(collectGarbage, everyMs).unref();
}, startMs).unref();
