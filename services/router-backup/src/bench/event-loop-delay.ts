/**
 * `node --import`: on SIGUSR2, writes the longest delay of the event loop since the last time to SKOLO_BENCH_DELAY, in milliseconds: all of
 * it, and without the time in which other programs had all processors.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { isMainThread } from 'node:worker_threads';

const file = process.env.SKOLO_BENCH_DELAY;
if (isMainThread && file !== undefined) {
  const delays = monitorEventLoopDelay({ resolution: 1 });
  delays.enable();
  let last = times();
  let own = 0;
  setInterval(() => {
    const now = times();
    own = Math.max(own, now.wall - last.wall - (now.waited - last.waited));
    last = now;
  }, 1).unref();
  process.on('SIGUSR2', () => {
    writeFileSync(file, JSON.stringify({ all: delays.max / 1e6, own }));
    delays.reset();
    own = 0;
  });
}

/** In milliseconds. `waited`: for a processor, see sched-stats.rst of Linux. */
function times() {
  const [, waited = '0'] = readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ');
  return { wall: performance.now(), waited: Number(waited) / 1e6 };
}
