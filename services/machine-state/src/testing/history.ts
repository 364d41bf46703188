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

/** A recorder for it, in a rack with `rpi-1`, which tells everything itself. */
export function newRecorder(history: History, clock: FakeClock): Recorder {
  const services = { views: () => ({ alerts: [] }) };
  const machines = new Map([['rpi-1', { name: 'rpi-1', devices: [] }]]);
  const rack = () => ({ machines }) as unknown as Rack;
  return new Recorder({ rack, clock, history, services, incidents: { noteLost: () => undefined } });
}
