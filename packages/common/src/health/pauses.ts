/** Beats while a service runs, and counts and shows its pauses: they delay the detection of faults. */
import { count } from '@skolo/base';
import { Counter, type Registry } from 'prom-client';
import { beatMs, type Presence } from '../process/presence.ts';
import type { DegradedList } from './degraded.ts';

const what = 'pauses';
/** After the latest pause. */
const shownSeconds = 600;

interface PausesDeps {
  presence: Presence;
  metrics: Registry;
  degraded: Pick<DegradedList, 'set'>;
}

/** Runs until the returned function is called. */
export function watchPauses({ presence, metrics, degraded }: PausesDeps): () => void {
  presence.beat();
  const [atStart, lostAtStart] = [presence.count, presence.lostSeconds];
  const counters = {
    skolo_pauses_total: {
      help: 'Times when the service did not run for more than 3 s, because its computer slept, its disk hung or its processor was busy.',
      read: () => presence.count - atStart,
    },
    skolo_pauses_seconds_total: {
      help: 'Seconds in which the service did not run, which do not count as silence of what it watches.',
      read: () => presence.lostSeconds - lostAtStart,
    },
  };
  for (const [name, { help, read }] of Object.entries(counters)) {
    new Counter({
      ...{ name, help, registers: [metrics] },
      collect() {
        this.reset();
        this.inc(read());
      },
    });
  }
  function beat(): void {
    const now = presence.beat();
    const pauses = presence.count - atStart;
    const { from, until } = presence.latestGap() ?? { from: now, until: now };
    const isShown = pauses > 0 && now - until < shownSeconds;
    degraded.set(what, isShown ? textOf(until - from, pauses) : undefined);
  }
  const beating = setInterval(beat, beatMs).unref();
  return () => clearInterval(beating);
}

function textOf(seconds: number, pauses: number): string {
  const many = `${count(pauses, 'pause')} since its start`;
  return `the service was paused for ${Math.round(seconds)} s (${many}), so it reports new silence later; check the load, the disk and the power settings of its computer`;
}
