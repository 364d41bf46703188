import { describe, expect, it } from 'vitest';
import { memoryLog } from '../testing/memory-log.ts';
import { DegradedList } from './degraded.ts';

describe('DegradedList', () => {
  it('keeps the time at which a trouble began, whatever its reason becomes', () => {
    const clock = { now: () => 1000 };
    const degraded = new DegradedList({ clock, log: memoryLog().log });

    degraded.raise('disk', 'full');
    clock.now = () => 2000;
    degraded.raise('disk', 'read-only');

    expect(degraded.list()).toEqual([{ what: 'disk', why: 'read-only', since: new Date(1000) }]);
    degraded.clear('disk');
    expect(degraded.list()).toEqual([]);
  });

  it('logs each beginning, change and end once', () => {
    const { log, lines } = memoryLog();
    const degraded = new DegradedList({ clock: { now: () => 1000 }, log });

    degraded.raise('disk', 'full');
    degraded.raise('disk', 'full');
    degraded.raise('disk', 'read-only');
    degraded.clear('disk');
    degraded.clear('disk');

    expect(lines().map(({ msg, why }) => [msg, why])).toEqual([
      ['degraded', 'full'],
      ['degraded', 'read-only'],
      ['recovered', undefined],
    ]);
  });
});
