/** Counts and shows the pauses of a running service, which delay the detection of faults. */
import { count } from '@skolo/base';
import { Counter, type Registry } from 'prom-client';
import { beatMs, type Presence } from '../process/presence.ts';
import type { DegradedList } from './degraded.ts';

const what = 'pauses';
/** After the latest pause. */
const shownSeconds = 600;
/** In that time. A busy computer loses less now and then, which delays nothing that people notice. */
const leastLostSeconds = 5;

interface PausesDeps {
  presence: Presence;
  metrics: Registry;
  degraded: Pick<DegradedList, 'set'>;
}

/** Runs until the returned function is called. */
export function watchPauses({ presence, metrics, degraded }: PausesDeps): () => void {
  const { count: before, lostSeconds: lostBefore } = presence;
  const pauses = new Counter({
    name: 'skolo_pauses_total',
    help: 'Times when the service did not run for more than 3 s, because its computer slept, its disk hung or its processor was busy.',
    registers: [metrics],
  });
  const lost = new Counter({
    name: 'skolo_pauses_seconds_total',
    help: 'Seconds in which the service did not run, which do not count as silence of what it watches.',
    registers: [metrics],
  });
  let counted = { count: 0, seconds: 0 };
  function beat(): void {
    const now = presence.beat();
    const own = { count: presence.count - before, seconds: presence.lostSeconds - lostBefore };
    pauses.inc(own.count - counted.count);
    lost.inc(own.seconds - counted.seconds);
    counted = own;
    const { from, until } = presence.latestGap() ?? { from: 0, until: 0 };
    const recent = Math.min(own.seconds, presence.lostSince(now - shownSeconds));
    degraded.set(what, recent < leastLostSeconds ? undefined : textOf(until - from, own.count));
  }
  const beating = setInterval(beat, beatMs).unref();
  return () => clearInterval(beating);
}

function textOf(seconds: number, pauses: number): string {
  const many = `${count(pauses, 'pause')} since its start`;
  return `the service was paused for ${Math.round(seconds)} s (${many}), so it reports new silence later; check the load, the disk and the power settings of its computer`;
}
