/** A history without the service around it. */
import { createLogger, DegradedList } from '@skolo/common';
import type { FakeClock } from '@skolo/common/testing';
import type { Rack } from '@skolo/rack';
import { onTestFinished } from 'vitest';
import { History } from '../history/history.ts';
import { Recorder } from '../history/recorder.ts';

type HistoryOptions = Partial<ConstructorParameters<typeof History>[0]> & {
  stateDir: string;
  clock: FakeClock;
};

/** Is closed with the test; without `open()`. */
export function newHistory({ clock, ...more }: HistoryOptions) {
  const log = createLogger({ service: 'machine-state', level: 'silent' });
  const history = new History({
    clock,
    log,
    degraded: new DegradedList({ clock, log }),
    days: () => 90,
    writeEveryMs: 60_000,
    readingsEveryMs: 60_000,
    ...more,
  });
  onTestFinished(() => history.close());
  return history;
}

/** A recorder for it, in a rack whose machines tell everything themselves. */
export function newRecorder(history: History, clock: FakeClock): Recorder {
  const services = { views: () => ({ alerts: [] }) };
  const rack = () => ({ machines: new Map() }) as unknown as Rack;
  return new Recorder({ rack, clock, history, services });
}
