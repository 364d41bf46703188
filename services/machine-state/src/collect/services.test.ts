import type { HistoryEntry, KnownAlert } from '@skolo/api';
import { equipmentCause } from '@skolo/api/cause';
import { fakeClock } from '@skolo/common/testing';
import { asIs } from '@skolo/scripted-services/service';
import { expect, it } from 'vitest';
import { startFakeAgent } from '../testing/fake-agent.ts';
import { servicesEvery, startLab } from '../testing/lab.ts';
import { startServices } from '../testing/services.ts';

const time = '2026-11-20T12:00:00.000Z';
const outlet = {
  outlet: 'switch-1/1',
  controller: 'switch-1',
  feeds: ['rpi-1'],
  state: 'on' as const,
  stuckOff: false,
};

function alert(
  alertname: string,
  machine: string,
  annotations: KnownAlert['annotations'],
): KnownAlert {
  return {
    ...{ fingerprint: machine, status: 'firing', endpoint: 'webhook', count: 1 },
    ...{ startsAt: time, first: time, last: time },
    labels: { alertname, machine, severity: 'warning' },
    annotations,
  };
}

it('are joined into machines and the rack, and left out while they are silent', async () => {
  const agent = await startFakeAgent('rpi-1');
  const services = await startServices();
  const { power, metadata, backup, alerts } = services;
  power.answers.cycles = asIs({ cycles: [{ id: 'c0' }] });
  const lab = await startLab({
    agents: { 'rpi-1': agent },
    deps: { services: servicesEvery(30) },
    more: () => ', uplink: switch-1/1, power: switch-1/1',
    rack: `equipment:
  switch-1: { model: edgeswitch, address: 127.0.2.1 }
${services.yaml}`,
  });
  const hold = { id: 'h1', by: 'ann', until: '2027-01-01T00:00:00Z', reason: 'a new fan' };
  power.answers.machines = {
    machines: [{ name: 'rpi-1', kind: 'machine', outlets: [outlet], controllers: [], hold }],
  };
  power.answers.controllers = {
    controllers: [
      { name: 'switch-1', model: 'edgeswitch', state: 'up', level: 'never seen', queue: 0 },
    ],
  };
  metadata.answers.clients = {
    clients: [
      { name: 'rpi-1', kind: 'machine', identity: 'bots', lastTokenAsked: time, requests: 7 },
    ],
  };
  const told = { summary: 'it is hot', first_command: 'skolo status' };
  alerts.answers.alerts = { alerts: [alert('Hot', 'rpi-1', told)] };
  const pubsub = { name: 'pubsub', kind: 'pubsub' } as const;
  const sink = { ...pubsub, depth: 0, oldestSeconds: 0, setAside: 0 };
  const spool = { bytes: 0, maxBytes: 1 };
  const alertPath = async () => (await lab.client.rack()).alertPath;
  const status = { location: 'r', healthy: true, receivers: [], firing: 0, sinks: [sink], spool };
  alerts.answers.status = status;
  await expect.poll(alertPath).toMatchObject({ state: 'not confirmed' });
  const working = { ...sink, lastSuccess: time };
  alerts.answers.status = { ...status, lastHeard: time, sinks: [working] };
  await expect.poll(alertPath).toEqual({ state: 'delivered', text: '' });

  await expect
    .poll(() => lab.machine('rpi-1'))
    .toMatchObject({
      condition: 'ok',
      power: { outlets: [{ outlet: 'switch-1/1', state: 'on' }], hold },
      token: { identity: 'bots', lastAsked: time },
      alerts: [
        {
          name: 'Hot',
          severity: 'warning',
          about: 'rpi-1',
          summary: 'it is hot',
          firstCommand: 'skolo status',
          since: time,
        },
      ],
    });
  await expect
    .poll(() => lab.client.rack())
    .toMatchObject({
      equipment: [
        { name: 'switch-1', state: 'up', ports: [{ port: '1', powers: ['rpi-1'], state: 'on' }] },
      ],
      services: [
        ...['metadata-server', 'power-cycle-daemon', 'router-backup', 'alert-to-pubsub'].map(
          (name) => ({ name, reachable: true, ready: true, version: '1.2.3' }),
        ),
        { name: 'machine-state', reachable: true, ready: true, degraded: [] },
      ],
    });
  const cycle = {
    id: 'c1',
    target: 'rpi-1',
    action: 'cycle',
    mode: 'auto',
    outlets: ['switch-1/1'],
    reason: 'no ssh',
    by: 'ann',
    origin: 'person',
    requestedAt: new Date().toISOString(),
    offSeconds: 5,
    force: false,
    step: 'off',
    steps: [],
  };
  // One that cannot be read hides no other.
  services.cycle({ id: 'c0', action: 'of a newer version' });
  services.cycle(cycle);
  services.cycle({ ...cycle, finishedAt: new Date().toISOString(), outcome: 'back' });
  const at = new Date().toISOString();
  const noted = { by: 'repair', reason: 'missing; try 1', outcome: 'would-have' };
  services.cycle({ ...cycle, ...noted, id: 'c2', requestedAt: at, finishedAt: at });
  const step = { device: 'phone', round: 1, step: 'usb-cycle', text: 'it has disappeared' };
  agent.set({ repairs: [{ ...step, at, outcome: 'would-have' }] });
  alerts.answers.alerts = { alerts: [] };
  const sortKey = (entry: HistoryEntry) => `${entry.kind} ${'action' in entry && entry.action}`;
  const kinds = async () => {
    const { entries } = await lab.client.history({
      params: { name: 'rpi-1' },
      query: { from: '2026-01-01T00:00:00Z' },
    });
    return entries
      .filter(({ kind }) => kind !== 'condition')
      .sort((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1));
  };
  const notDone = [
    { kind: 'would-have', at, action: 'power-cycle', by: 'repair', reason: 'missing; try 1' },
    { kind: 'would-have', at, action: 'usb-cycle', by: 'rpi-1', reason: 'it has disappeared' },
  ];
  await expect
    .poll(kinds)
    .toMatchObject([
      { kind: 'alert', name: 'Hot', severity: 'warning', at: time, endedAt: expect.any(String) },
      { kind: 'cycle', id: 'c1', by: 'ann', reason: 'no ssh', outcome: 'back' },
      { kind: 'hold', by: 'ann', reason: 'a new fan' },
      ...notDone,
    ]);

  power.answers.controllers = {
    controllers: [
      { name: 'switch-1', model: 'edgeswitch', state: 'down', level: 'never seen', queue: 0 },
    ],
  };
  await expect
    .poll(async () => (await lab.client.rack()).equipment)
    .toMatchObject([{ state: 'down' }]);
  // A backup of last night says nothing about now.
  power.answers.controllers = { controllers: [] };
  const backedUp = { name: 'switch-1', state: 'ok', lastSuccess: time, reading: false } as const;
  const equipment = [{ ...backedUp, offsite: 'none' as const }];
  backup.answers.allEquipment = { equipment, offsite: [], lost: [] };
  await expect
    .poll(async () => (await lab.client.rack()).equipment)
    .toMatchObject([{ state: 'unknown', lastBackup: time }]);
  // The daemon does not know the machine yet.
  power.answers.machines = { machines: [] };
  await expect.poll(() => lab.machine('rpi-1')).not.toHaveProperty('power');
  power.answers.machines = undefined;
  metadata.answers.clients = undefined;

  await expect.poll(() => lab.machine('rpi-1')).not.toHaveProperty('power');
  await expect.poll(() => lab.machine('rpi-1')).not.toHaveProperty('token');
  await expect
    .poll(() => lab.client.rack())
    .toMatchObject({
      services: [{ reachable: false, why: expect.any(String) }, { reachable: false }, {}, {}, {}],
    });
});

it('name the one piece of equipment that silent machines share until it answers, but only answers of machines end their silence', async () => {
  const names = ['rpi-1', 'rpi-2', 'rpi-3'];
  const agents = await Promise.all(names.map((name) => startFakeAgent(name)));
  const { power, yaml } = await startServices();
  const clock = fakeClock('2026-11-22T12:00:00Z');
  const lab = await startLab({
    agents: Object.fromEntries(names.map((name, at) => [name, agents[at]])),
    more: (_, at) => `, uplink: switch-1/${at + 1}`,
    rack: `equipment:
  switch-1: { model: edgeswitch, address: 127.0.2.1 }
${yaml}`,
    clock,
    deps: { services: servicesEvery(30) },
  });
  const switchWasUp = () => {
    const at = new Date(clock.now()).toISOString();
    const up = { name: 'switch-1', model: 'edgeswitch', state: 'up' as const, since: time };
    power.answers.controllers = {
      controllers: [{ ...up, lastContact: at, level: 'never seen', queue: 0 }],
    };
  };
  power.answers.machines = { machines: [] };
  switchWasUp();
  const told = async () => {
    const { machines } = await lab.client.machines();
    return machines.map(({ condition, cause }) => `${condition} ${cause?.text ?? ''}`.trim());
  };
  await expect.poll(told).toEqual(['ok', 'ok', 'ok']);

  for (const agent of agents) agent.answerAs(() => {});
  for (const agent of agents) agent.set({});
  await expect.poll(() => agents.every(({ requests }) => requests.length > 2)).toBe(true);
  clock.pass(51_000);

  const shared = 'stale switch-1';
  await expect.poll(told).toEqual([shared, shared, shared]);
  await expect
    .poll(() => lab.client.rack())
    .toMatchObject({ causes: [{ code: 'switch-1', machines: names }] });
  switchWasUp();
  await expect.poll(told).toEqual(['stale', 'stale', 'stale']);
  clock.setWall('2026-11-21T00:00:00Z');
  for (const agent of agents) agent.answerAs(undefined);
  for (const agent of agents) agent.set({});
  await expect.poll(told).toEqual(['ok', 'ok', 'ok']);
});

it('name what only some of the machines on a piece of equipment share, in one alert metric', async () => {
  const names = ['rpi-1', 'rpi-2', 'rpi-3', 'rpi-4', 'rpi-5', 'rpi-6'];
  const agents = await Promise.all(names.map((name) => startFakeAgent(name)));
  const clock = fakeClock('2026-11-22T12:00:00Z');
  const lab = await startLab({
    agents: Object.fromEntries(names.map((name, at) => [name, agents[at]])),
    more: (_, at) => `, uplink: switch-${at < 4 ? 1 : 2}/${at + 1}`,
    rack: `equipment:
  switch-1: { model: edgeswitch, address: 127.0.2.1 }
  switch-2: { model: edgeswitch, address: 127.0.2.2 }
`,
    clock,
  });
  const told = async () => {
    const { machines } = await lab.client.machines();
    return machines.map(({ condition, cause }) => `${condition} ${cause?.text ?? ''}`.trim());
  };
  await expect.poll(told).toEqual(names.map(() => 'ok'));

  for (const agent of agents.slice(0, 3)) agent.answerAs(() => {});
  for (const agent of agents.slice(0, 3)) agent.set({});
  await expect
    .poll(() => agents.slice(0, 3).every(({ requests }) => requests.length > 2))
    .toBe(true);
  clock.pass(51_000);
  for (const agent of agents.slice(3)) agent.set({});

  const shared = 'stale switch-1';
  await expect.poll(told).toEqual([shared, shared, shared, 'ok', 'ok', 'ok']);
  expect((await lab.client.rack()).causes).toEqual([
    {
      ...equipmentCause(['switch-1']),
      isPartial: true,
      why: '3 of 4 machines on switch-1 are silent, 0 of 2 others',
      since: '2026-11-22T12:00:00.000Z',
      machines: names.slice(0, 3),
    },
  ]);
  expect(await lab.metrics()).toContain('skolo_machines_common_cause{cause="switch-1"} 3');
});

it('names a damaged image store as the reason only for the machine that is silent and has the alert', async () => {
  const names = ['rpi-1', 'rpi-2', 'rpi-3'];
  const agents = await Promise.all(names.map((name) => startFakeAgent(name)));
  const { alerts, yaml } = await startServices();
  const clock = fakeClock('2026-11-22T12:00:00Z');
  const firstCommand = 'skolo run rpi-1 -- sudo journalctl -b -u skolo-image-store';
  const damaged = (machine: string) =>
    alert('ImageStoreDamaged', machine, { first_command: firstCommand });
  alerts.answers.alerts = { alerts: [damaged('rpi-1'), damaged('rpi-3')] };
  const lab = await startLab({
    agents: Object.fromEntries(names.map((name, at) => [name, agents[at]])),
    rack: yaml,
    clock,
    deps: { services: servicesEvery(30) },
  });
  const told = async () => {
    const { machines } = await lab.client.machines();
    return machines.map(({ sentence, needsAttention }) => [sentence, needsAttention]);
  };
  const working = ['waiting for a task', undefined];
  await expect.poll(told).toEqual([working, working, working]);

  for (const agent of agents.slice(0, 2)) await agent.close();
  clock.pass(601_000);

  const reason = /^the agent is not responding/;
  await expect
    .poll(told)
    .toEqual([
      [
        expect.stringMatching(/^image store damaged; the agent is not responding/),
        `image store damaged; to find the image, run ${firstCommand}`,
      ],
      [expect.stringMatching(reason), expect.stringMatching(/^find out why/)],
      working,
    ]);
});
