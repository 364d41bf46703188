/**
 * A process that briefly outlives the demo: when the demo has died in any way, it ends the services.
 *
 * The system closes the demo's end of the pipe that is our stdin, even after kill -9. The services are not involved. Lines of stdin:
 * `{"pid": 12, "stopWithinMs": 12000}`, and `{"pid": 12}` once that one has ended.
 */

import { createInterface } from 'node:readline';
import { pause } from '@skolo/base';
import type { Watched } from './guard.ts';
import { signalGroup, signalIfThere } from './process-group.ts';

// The demo handles Ctrl-C. This process ends when the demo does.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);

const watched = new Map<number, number>();
for await (const line of createInterface({ input: process.stdin })) {
  const { pid, stopWithinMs } = JSON.parse(line) as Watched;
  if (stopWithinMs === undefined) watched.delete(pid);
  else watched.set(pid, stopWithinMs);
}
await Promise.all([...watched].map(([pid, stopWithinMs]) => end(pid, stopWithinMs)));

async function end(pid: number, stopWithinMs: number): Promise<void> {
  const giveUpAt = performance.now() + stopWithinMs;
  signalIfThere(pid, 'SIGTERM');
  while (signalIfThere(pid, 0) && performance.now() < giveUpAt) await pause(50);
  signalGroup(pid, 'SIGKILL');
}
