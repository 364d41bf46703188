import { expect, it } from 'vitest';
import type { Timeline, TimelineRow } from './timeline-api.ts';
import { timelineText } from './timeline-text.ts';

function row(at: string, text: string, more: Partial<TimelineRow> = {}): TimelineRow {
  return { at, kind: 'note', text, where: '', names: [], details: [], versions: [], ...more };
}

const empty: Timeline = {
  ...{ rack: 'rack4', since: '2026-11-20T17:00:00Z', until: '2026-11-21T05:00:00Z', rows: [] },
  ...{ truncated: false, omitsAudit: false, unhealthy: [], missing: [] },
  ...{ worse: { count: 2, where: 'rpi-[1-2]' }, better: { count: 0, where: '' } },
};

it('is the handover: local times with their offset, days, and who has waited longest', () => {
  const waiting = { machine: 'rpi-9', since: '2026-11-19T23:30:00Z', text: 'no phone' };
  const rows = [
    row('2026-11-20T22:59:59.900Z', 'silent', { where: 'rpi-1', endedAt: '2026-11-20T23:00:00Z' }),
    row('2026-11-20T23:00:01Z', 'bob is on it', {
      until: '2026-11-21T03:00:00Z',
      details: [...'abcdefghij'],
    }),
  ];
  const missing = [{ source: 'router-backup', why: 'refused', since: '2026-11-21T04:00:00Z' }];

  expect(timelineText({ ...empty, rows, waiting, missing }, 'Europe/Berlin')).toEqual([
    'rack4, 2026-11-20 18:00:00 to 2026-11-21 06:00:00 (GMT+01:00)',
    'worse: 2: rpi-[1-2]',
    'better: no machines',
    'waiting longest: rpi-9 since 2026-11-20 00:30:00: no phone',
    'router-backup: events are missing since 2026-11-21 05:00:00: refused',
    '',
    '2026-11-20',
    '23:59:59  silent: rpi-1; until 2026-11-21 00:00:00',
    '',
    '2026-11-21',
    '00:00:01  bob is on it; ends 04:00:00',
    ...[...'abcdefgh'].map((each) => `          - ${each}`),
    '          - and 2 more',
  ]);
});

it('tells the two hours apart that end summer time', () => {
  const rows = ['2026-10-25T00:30:00Z', '2026-10-25T01:30:00Z'].map((at) => row(at, 'silent'));
  const until = '2026-10-25T05:00:00Z';

  expect(timelineText({ ...empty, rows, until }, 'Europe/Berlin').slice(-6)).toEqual([
    '',
    '2026-10-25 (GMT+02:00)',
    '02:30:00  silent',
    '',
    '2026-10-25',
    '02:30:00  silent',
  ]);
});

it('breaks lines at 80 columns, loses no character, and never breaks into another line', () => {
  const where = Array.from({ length: 60 }, (_, at) => `machine-${at * 7}`).join(',');
  const text = `${'a long note '.repeat(12)}\n2026-11-20 12:00:00 forged line ${'x'.repeat(90)}`;

  const lines = timelineText({ ...empty, rows: [row(empty.since, text, { where })] }, 'UTC');

  const body = lines.slice(lines.indexOf('2026-11-20') + 1);
  expect(body.slice(1).every((line) => line.startsWith(' '.repeat(10)))).toBe(true);
  expect(body.filter((line) => line.length > 80)).toEqual([`${' '.repeat(10)}${'x'.repeat(90)}:`]);
  const letters = (all: string) => all.replaceAll(/\s/g, '');
  expect(letters(body.join(''))).toBe(letters(`17:00:00${text}:${where}`));
});

it('does not say that nothing happened where the history could not be read', () => {
  const { worse: _, better: __, ...unread } = empty;
  const missing = [{ source: 'history', why: 'the disk is slow' }];

  expect(timelineText({ ...unread, missing }, 'UTC').slice(1)).toEqual([
    'worse: unknown',
    'better: unknown',
    'waiting longest: unknown',
    'history: events are missing: the disk is slow',
    '',
    'No events are known.',
  ]);
});

it('says that nothing happened, and what is omitted', () => {
  expect(timelineText({ ...empty, truncated: true, omitsAudit: true }, 'UTC').slice(-4)).toEqual([
    'Older events are omitted; choose a shorter period.',
    'Changes in the audit logs require the operate role.',
    '',
    'Nothing happened.',
  ]);
});
