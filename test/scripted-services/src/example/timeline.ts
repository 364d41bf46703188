import type { Timeline, TimelineRow } from '@skolo/api';
import { foldNames } from '@skolo/rack';

/** A night in which a switch died, with each kind of row. @param names of some machines @param until milliseconds since 1970 */
export function timelineOf(rack: string, names: readonly string[], until: number): Timeline {
  const at = (minutes: number) => new Date(until - minutes * 60_000).toISOString();
  const [one = 'rpi-001'] = names;
  const where = `${foldNames(names)} (${names.length})`;
  const row = (minutes: number, kind: TimelineRow['kind'], text: string): TimelineRow => ({
    ...{ at: at(minutes), kind, text, where: '', names: [], details: [], versions: [] },
  });
  const rows: TimelineRow[] = [
    {
      ...row(500, 'rack-file', 'rack.yaml changed; to see who pushed it, run skolo push log'),
      details: ['machine rpi-009: power switch-1/9 → switch-1/10'],
    },
    {
      ...row(480, 'configuration', 'configuration changed by ann'),
      ...{ where: 'switch-1', names: ['switch-1'] },
      details: [`skolo backup diff switch-1 1d2e 3f4a --on ${rack}`],
      versions: [{ equipment: 'switch-1', from: '1d2e', to: '3f4a' }],
    },
    {
      ...row(180, 'silent', 'silent: none of the 12 machines behind switch-1 responds; 12 back'),
      ...{ endedAt: at(160), where, names: [...names] },
    },
    {
      ...row(178, 'alert', 'alert SkoloSwitchDown (critical); firing, delivered'),
      ...{ endedAt: at(150), where: 'switch-1', names: ['switch-1'] },
    },
    row(175, 'sign-in', 'bob signed in or out'),
    {
      ...row(174, 'on-it', 'bob is on it: switch-1'),
      ...{ by: 'bob', until: at(-66), where, names: [...names] },
    },
    {
      ...{ by: 'bob', action: 'cycle' },
      ...row(170, 'cycle', 'power cycle by bob: the switch does not respond; 1 back'),
      ...{ endedAt: at(165), where: 'switch-1', names: ['switch-1'] },
    },
    { ...row(120, 'down', 'machine-state was down: nothing was recorded'), endedAt: at(116) },
    { ...row(30, 'note', 'note by bob: the fan is loud'), where: one, names: [one] },
  ];
  const point = (minutes: number, count: number): [number, number] => [
    Math.floor(Date.parse(at(minutes)) / 1000),
    count,
  ];
  return {
    ...{ rack, since: at(720), until: at(0), rows, truncated: false, omitsAudit: false },
    unhealthy: [point(720, 1), point(180, 1 + names.length), point(160, 1)],
    worse: { count: 0, where: '' },
    better: { count: 1, where: one },
    waiting: { machine: 'rpi-040', since: at(1500), text: 'quarantined: device: missing' },
    missing: [{ source: 'router-backup', why: 'connect ECONNREFUSED', since: at(10) }],
  };
}
