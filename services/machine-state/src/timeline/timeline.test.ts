import { join } from 'node:path';
import { createClient, machineStateApi, type PowerCycle } from '@skolo/api';
import { newToken } from '@skolo/common';
import { asIs } from '@skolo/scripted-services/service';
import { expect, it, onTestFinished, vi } from 'vitest';
import { History } from '../history/history.ts';
import { startFakeAgent } from '../testing/fake-agent.ts';
import { servicesEvery, startLab } from '../testing/lab.ts';
import { startServices } from '../testing/services.ts';

const minute = 60_000;
const ago = (minutes: number) => new Date(Date.now() - minutes * minute).toISOString();

function cycle(id: string, target: string, more: Partial<PowerCycle> = {}): PowerCycle {
  return {
    ...{ id, target, action: 'cycle', mode: 'auto', outlets: [], reason: 'offline', by: 'ann' },
    ...{ origin: 'person', requestedAt: ago(50), startedAt: ago(50), offSeconds: 10, force: false },
    ...{ step: 'see-back', steps: [], ...more },
  };
}

async function start() {
  const services = await startServices();
  const agent = await startFakeAgent('rpi-1');
  const lab = await startLab({
    agents: { 'rpi-1': agent, 'rpi-2': undefined },
    deps: { services: servicesEvery(50) },
    rack: services.yaml,
  });
  await expect.poll(() => lab.machine('rpi-1')).toMatchObject({ condition: 'ok' });
  return { services, lab };
}

/** Services of a busy computer may respond too late. */
function timelineOf({ client }: Pick<Awaited<ReturnType<typeof start>>['lab'], 'client'>) {
  return vi.waitFor(async () => {
    const found = await client.timeline();
    expect(found.missing.filter(({ why }) => why.includes('no response'))).toEqual([]);
    return found;
  });
}

it('merges what all services know, and folds what belongs together', async () => {
  const { services, lab } = await start();
  await lab.client.addNote({ body: { machines: ['rpi-1', 'rpi-2'], text: 'a new fan' } });
  services.power.answers.cycles = {
    cycles: [
      cycle('c1', 'rpi-1', { finishedAt: ago(48), outcome: 'back' }),
      cycle('c2', 'rpi-2', {
        outcome: 'failed',
        finishedAt: ago(47),
        failedStep: 'turn-on',
        detail: 'no answer',
      }),
    ],
  };
  services.backup.answers.allEquipment = asIs({
    equipment: [{ name: 'switch-1', changedAt: ago(40) }],
  });
  services.backup.answers.versions = {
    versions: [
      { id: 'b2b2', equipment: 'switch-1', time: ago(40), changedBy: 'bob' },
      { id: 'a1a1', equipment: 'switch-1', time: ago(4000) },
    ],
  };
  const alert = { fingerprint: 'f', annotations: {}, endpoint: 'webhook' as const, count: 1 };
  const times = { startsAt: ago(30), first: ago(30), last: ago(1) };
  services.alerts.answers.alerts = {
    alerts: [
      { ...alert, ...times, status: 'firing', labels: { alertname: 'Hot', machine: 'rpi-1' } },
      { ...alert, ...times, status: 'firing', labels: { alertname: 'Hot', machine: 'rpi-2' } },
    ],
  };
  const sink = { kind: 'pubsub', depth: 0, oldestSeconds: 0, setAside: 0, lastSuccess: ago(1) };
  const stuck = { ...sink, name: 'pager', depth: 1, oldestSeconds: 3600, detail: 'refused' };
  services.alerts.answers.status = asIs({ sinks: [{ ...sink, name: 'pubsub' }, stuck] });
  const begun = { who: 'bob', what: 'requestCycles', target: 'rpi-1 rpi-2', requestId: 'r1' };
  services.power.answers.audit = {
    skipped: 0,
    entries: [
      {
        ...begun,
        time: ago(50),
        outcome: 'accepted',
        answer: { cycles: [{ id: 'c1' }, { id: 'c2' }] },
      },
      { ...begun, time: ago(50), outcome: 'begun' },
      { time: ago(48), who: 'ann', what: 'cycle c1', target: 'rpi-1', outcome: 'back' },
      ...['r0', 'r2'].map((requestId) => {
        const rejected = { outcome: 'rejected: held by ann', why: 'offline' };
        return { ...begun, time: ago(51), requestId, ...rejected };
      }),
    ],
  };

  const { rows, missing, omitsAudit } = await timelineOf(lab);

  expect({ missing, omitsAudit }).toEqual({ missing: [], omitsAudit: false });
  expect(rows.map(({ kind, text, where }) => `${kind}: ${text}: ${where}`)).toEqual([
    'change: bob: power cycle: offline; 2 rejected: held by ann: rpi-[1-2] (2)',
    'cycle: power cycle by ann: offline; 1 back, 1 failed: rpi-[1-2] (2)',
    'configuration: configuration changed by bob: switch-1',
    'alert: alert Hot; 2 firing, not delivered yet to pager: refused: rpi-[1-2] (2)',
    'note: note by ann: a new fan: rpi-[1-2] (2)',
  ]);
  expect(rows.map(({ by }) => by)).toEqual(['bob', 'ann', undefined, undefined, 'ann']);
  expect(rows[1]?.action).toBe('cycle');
  expect(rows[1]?.details).toEqual(['rpi-2: failed at turn-on: no answer']);
  expect(rows[2]?.versions).toEqual([{ equipment: 'switch-1', from: 'a1a1', to: 'b2b2' }]);
});

it('names a source that does not respond, and entries that cannot be read, and shows the rest', async () => {
  const { services, lab } = await start();
  services.backup.answers.allEquipment = undefined;
  services.power.answers.cycles = asIs({ cycles: [{ id: 'new' }, cycle('c1', 'rpi-1')] });
  services.alerts.answers.status = asIs({ sinks: 'none' });

  const { rows, missing } = await timelineOf(lab);

  expect(rows).toMatchObject([{ kind: 'cycle', where: 'rpi-1' }]);
  expect(missing).toMatchObject([
    { source: 'alert-to-pubsub', why: 'a list is missing in its response' },
    { source: 'router-backup', why: 'no answer to get allEquipment' },
    { source: 'power-cycle-daemon', why: expect.stringContaining('1 of its entries') },
  ]);
});

it('does not say that no machine is worse where the history cannot be read', async () => {
  const { lab } = await start();
  const read = vi.spyOn(History.prototype, 'happenings').mockRejectedValue(new Error('it hangs'));
  onTestFinished(() => read.mockRestore());

  const found = await timelineOf(lab);

  expect(found.missing).toContainEqual({ source: 'history', why: 'it hangs' });
  expect(found).not.toHaveProperty('worse');
  expect(found).not.toHaveProperty('better');
});

it('reads audit logs with the token of the caller, and not at all for the view role', async () => {
  const { services, lab } = await start();
  services.power.answers.audit = {
    skipped: 0,
    entries: ['bob', 'bob', 'eve'].map((who, at) => {
      const own = { requestId: `r${at}`, target: 'jumphost', outcome: 'done', from: '10.0.0.1' };
      return { ...own, time: ago(30 - at), who, what: 'signIn' };
    }),
  };
  const ofPeople = async (client: typeof lab.client) => {
    const { rows, omitsAudit } = await timelineOf({ client });
    const texts = rows.flatMap(({ kind, text }) => (kind === 'sign-in' ? text : []));
    return { texts, omitsAudit };
  };
  const options = { name: 'guest', role: 'view', expiresInDays: 1 } as const;
  const token = await newToken(join(lab.dir, 'tokens.yaml'), options);
  const guest = createClient(machineStateApi, { baseUrl: lab.url, token });

  expect(await ofPeople(guest)).toEqual({ texts: [], omitsAudit: true });
  expect(services.tokens.has('/v1/audit')).toBe(false);
  const texts = ['bob signed in or out', 'eve signed in or out'];
  expect(await ofPeople(lab.client)).toEqual({ texts, omitsAudit: false });
  expect(services.tokens.get('/v1/audit')).toMatch(/^Bearer skolo_/);
  expect(services.tokens.get('/v1/power-cycles')).toBeUndefined();
});

it.each([
  ['backwards', { since: ago(1), until: ago(2) }],
  ['of more than 31 days', { since: ago(32 * 1440) }],
  ['before all years', { until: '0000-01-01T00:00:00Z' }],
])('rejects a period %s', async (_what, query) => {
  const { lab } = await start();

  await expect(lab.client.timeline({ query })).rejects.toMatchObject({ status: 422 });
});
