import { expect, it } from 'vitest';
import { alertToPubsubApi } from '../alert-to-pubsub.ts';
import { consoleApi } from '../console.ts';
import { enrolmentsApi } from '../enrolment.ts';
import { machineStateApi } from '../machine-state.ts';
import { powerCycleDaemonApi } from '../power-cycle-daemon.ts';
import type { RouteSpec } from '../route/route.ts';
import { routerBackupApi } from '../router-backup.ts';
import type { AuditedChange } from './merge-logs.ts';
import { auditRows, auditWords } from './rows.ts';

const at = '2026-11-20T03:00:00.000Z';
const change = (more: Partial<AuditedChange>): AuditedChange => ({
  time: at,
  who: 'ann',
  what: 'hold',
  outcome: 'done',
  service: 'machine-state',
  ...more,
});

it('has a word for each audited route', () => {
  const routes: Record<string, RouteSpec> = {
    ...alertToPubsubApi,
    ...consoleApi,
    ...enrolmentsApi,
    ...machineStateApi,
    ...powerCycleDaemonApi,
    ...routerBackupApi,
  };
  const audited = Object.entries(routes).filter(
    ([, { audits }]) => audits && !('elsewhere' in audits),
  );
  expect(audited.map(([name]) => name).filter((name) => !(name in auditWords))).toEqual([]);
});

it.each<[Partial<AuditedChange>, string]>([
  [{ what: 'requestCycles' }, 'power cycle'],
  [{ what: 'cycle 0193477c-7a55' }, 'end of power cycle'],
  [{ what: 'agent: cycle' }, 'power cycle (agent)'],
  [{ what: 'endpoint: off' }, 'turn off (endpoint)'],
  [{ what: 'switchOutlets', input: { state: 'off' } }, 'turn off'],
  [{ what: 'addNote' }, 'note'],
  [{ what: 'order', input: { kind: 'maintenance' } }, 'maintenance'],
  [{ what: 'endOrder', answer: { kind: 'quarantine' } }, 'end of quarantine'],
  [{ what: 'endOrder', outcome: 'failed: no disk' }, 'end of order'],
  [{ what: 'read with secrets' }, 'read with secrets'],
  [{ what: 'of a later version' }, 'of a later version'],
])('%o is "%s"', (given, action) => {
  expect(auditRows([change(given)])[0]?.action).toBe(action);
});

it.each<[Partial<AuditedChange>, string, string | undefined]>([
  [{ outcome: 'done' }, 'done', undefined],
  [{ outcome: 'begun' }, 'begun', undefined],
  [{ outcome: 'rejected: a: no outlet' }, 'rejected', 'a: no outlet'],
  [{ outcome: 'back: a new boot' }, 'back', 'a new boot'],
  [
    { outcome: 'accepted', answer: { rejected: [{ detail: 'a: held' }, { detail: 'b: held' }] } },
    'accepted',
    'rejected: a: held, and 1 more',
  ],
  [{ outcome: 'accepted', answer: { rejected: [] } }, 'accepted', undefined],
  [{ outcome: 'accepted', answer: { rejected: [7] } }, 'accepted', 'rejected: some targets'],
])('the result of %o is %s: %s', (given, result, because) => {
  const [row] = auditRows([change(given)]);
  expect([row?.result, row?.because]).toEqual([result, because]);
});

it('folds what a person does to sign in, and nothing else', () => {
  const rows = auditRows([
    change({ what: 'signIn', time: '2026-11-20T03:02:00.000Z' }),
    change({ what: 'signOut', time: '2026-11-20T03:01:00.000Z' }),
    change({ what: 'signIn' }),
    change({ what: 'signIn', who: 'bob' }),
    change({ what: 'hold', who: 'bob' }),
    change({ what: 'signIn', who: 'bob', outcome: 'rejected: no' }),
    change({ what: 'signIn', who: 'bob' }),
  ]);

  expect(rows.map(({ who, action, times }) => `${who}: ${action} ${times}`)).toEqual([
    'ann: sign-in 3',
    'bob: sign-in 1',
    'bob: hold 1',
    'bob: sign-in 1',
    'bob: sign-in 1',
  ]);
  expect(rows[0]?.time).toBe('2026-11-20T03:02:00.000Z');
});
