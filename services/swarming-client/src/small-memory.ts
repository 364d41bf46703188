/**
 * The agent shares a Pi with 1 GB with a bot and its tasks, and has little to do: V8 runs it without its optimising
 * compilers. Imported first of all, before anything is compiled. With it, WebAssembly is gone, and so the global fetch.
 *
 * Measured with a phone and a bot (Node 20.20, x86-64; resident, in MB, where an empty script has 42). Busy, after a
 * minute: 77 as Node comes, 64.5 with `--lite-mode`, 63.3 with a young generation that does not grow, too. Idle, after a
 * minute: 60.5 with `--optimize-for-size` and one collection, 59.8 with two, 58.2 with two that throw away what was
 * compiled. It comes back slowly, so they are repeated; each costs 60 to 150 ms of a busy machine.
 */
import { setFlagsFromString } from 'node:v8';
import { collectGarbage } from '@skolo/common/collect-garbage';

/** By then all is loaded, also on a machine that is slow. */
const startMs = 20_000;
/** V8 by itself waits until a heap this small has grown by megabytes. */
const everyMs = 120_000;

/** Node 22, on arm/v7, compiles WebAssembly while it imports node:http, and lite mode would end the process there. */
const withoutCompilers =
  Number(process.versions.node.split('.')[0]) < 24
    ? ['--no-opt', '--no-sparkplug']
    : ['--lite-mode'];

for (const flag of [...withoutCompilers, '--optimize-for-size', '--semi-space-growth-factor=1']) {
  setFlagsFromString(flag);
}
setTimeout(() => {
  collectGarbage();
  setInterval(collectGarbage, everyMs).unref();
}, startMs).unref();
