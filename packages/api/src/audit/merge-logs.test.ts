import { describe, expect, it } from 'vitest';
import { mergeAuditLogs } from './merge-logs.ts';

function entry(minute: number, outcome: string, requestId?: string) {
  const time = `2026-11-20T07:${String(minute).padStart(2, '0')}:00.000Z`;
  return {
    time,
    who: 'ann',
    what: 'cycle',
    target: 'rpi-1',
    outcome,
    ...(requestId && { requestId }),
  };
}

function brief(joined: ReturnType<typeof mergeAuditLogs>) {
  return joined.changes.map(
    ({ service, time, outcome }) => `${service} ${time.slice(14, 16)} ${outcome}`,
  );
}

describe('mergeAuditLogs', () => {
  it('shows the last entry of each change, the newest first', () => {
    const power = [entry(9, 'begun'), entry(7, 'done', 'r2'), entry(6, 'begun', 'r2')];
    const backup = [
      entry(8, 'rejected: no'),
      entry(8, 'begun'),
      entry(5, 'begun'),
      entry(4, 'done'),
    ];

    const joined = mergeAuditLogs([
      { service: 'power', entries: power },
      { service: 'backup', entries: backup },
    ]);

    expect(brief(joined)).toEqual([
      'power 09 begun',
      'backup 08 rejected: no',
      'power 07 done',
      'backup 05 begun',
      'backup 04 done',
    ]);
    expect(joined.completeTo).toBeUndefined();
  });

  it('shows nothing before the time to which all services are known', () => {
    const busy = {
      entries: [entry(9, 'done')],
      older: { before: '2026-11.5', time: entry(8, '').time },
    };
    const quiet = { entries: [entry(8, 'done'), entry(2, 'done')] };

    const joined = mergeAuditLogs([
      { service: 'busy', ...busy },
      { service: 'quiet', ...quiet },
    ]);

    expect(brief(joined)).toEqual(['busy 09 done', 'quiet 08 done']);
    expect(joined.completeTo).toBe('2026-11-20T07:08:00.000Z');
  });
});
