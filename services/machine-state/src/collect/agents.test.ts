import { fakeClock } from '@skolo/common/testing';
import { describe, expect, it } from 'vitest';
import { okHealth, startFakeAgent } from '../testing/fake-agent.ts';
import { type Lab, startLab } from '../testing/lab.ts';

describe('agents', () => {
  it('are known by their last answer, and a change at once', async () => {
    const agent = await startFakeAgent('rpi-1');
    const lab = await startLab({ agents: { 'rpi-1': agent } });
    await expect.poll(() => lab.machine('rpi-1')).toMatchObject({ condition: 'ok' });

    agent.set({
      task: { running: true, id: '6a1b' },
      health: {
        verdict: 'recovering',
        since: '2026-11-20T11:00:00Z',
        reasons: [
          {
            verdict: 'recovering',
            code: 'device-missing',
            text: 'adb does not see it',
            since: '2026-11-20T11:00:00Z',
            device: 'phone',
          },
        ],
      },
    });

    await expect
      .poll(() => lab.machine('rpi-1'))
      .toMatchObject({
        condition: 'recovering',
        since: '2026-11-20T11:00:00.000Z',
        sentence: 'phone: adb does not see it',
        task: { id: '6a1b' },
      });
    expect(agent.requests.filter((each) => each.includes('after=')).length).toBeGreaterThan(0);
  });

  it('without a bot are healthy, and wait for no task', async () => {
    const since = '2026-11-20T10:00:00Z';
    const bot = { state: 'none' as const, since, healthy: false, starts: 0 };
    const agent = await startFakeAgent('rpi-1', {
      status: { bot, health: { ...okHealth, since } },
    });
    const lab = await startLab({ agents: { 'rpi-1': agent } });

    await expect.poll(() => lab.machine('rpi-1')).toMatchObject({ condition: 'ok' });

    const machine = await lab.machine('rpi-1');
    expect(machine).toMatchObject({ sentence: 'healthy, without a bot', bot: { state: 'none' } });
    expect(machine.needsAttention).toBeUndefined();
  });

  it('that are silent make a machine stale, then gone, and one that never answered says so', async () => {
    const clock = fakeClock('2026-11-20T12:00:00Z');
    const agent = await startFakeAgent('rpi-1');
    const lab = await startLab({ agents: { 'rpi-1': agent, 'rpi-2': undefined }, clock });
    agent.set({ task: { running: true, id: '6a1b' } });
    await expect.poll(() => lab.machine('rpi-1')).toMatchObject({ task: { id: '6a1b' } });

    await agent.close();
    // It has failed by then, so nothing of before is still on its way.
    await expect
      .poll(() => lab.machine('rpi-2'))
      .toMatchObject({
        condition: 'never-reported',
        sentence: expect.stringContaining('connection refused'),
      });
    clock.pass(61_000);

    await expect
      .poll(() => lab.machine('rpi-1'))
      .toMatchObject({
        condition: 'stale',
        since: '2026-11-20T12:01:01.000Z',
        lastSeen: '2026-11-20T12:00:00.000Z',
        taskWhenLastSeen: { id: '6a1b' },
      });
    expect(await lab.machine('rpi-1')).not.toHaveProperty('task');
    clock.pass(600_000);
    await expect
      .poll(() => lab.machine('rpi-1'))
      .toMatchObject({
        condition: 'gone',
        needsAttention: expect.stringContaining('find out why'),
      });
  });

  it.each([
    [
      'of another machine',
      JSON.stringify({ machine: 'rpi-9', task: { running: true }, devices: [] }),
    ],
    ['that is not JSON', '<script>'],
    ['that is too large', JSON.stringify({ machine: 'rpi-1', task: {}, x: 'x'.repeat(200_000) })],
    [
      'of another shape',
      JSON.stringify({ machine: 'rpi-1', task: { running: 'no' }, devices: [] }),
    ],
  ])('do not count with an answer %s', async (_, body) => {
    const agent = await startFakeAgent('rpi-1');
    agent.answerAs((_request, response) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end(body),
    );
    const lab = await startLab({ agents: { 'rpi-1': agent } });

    await expect.poll(() => agent.requests.length).toBeGreaterThan(1);

    await expect
      .poll(() => lab.machine('rpi-1'))
      .toMatchObject({
        condition: 'never-reported',
        sentence: expect.stringMatching(/^the agent has never responded: ./),
      });
  });

  it('that hang delay no others', async () => {
    const agent = await startFakeAgent('rpi-2');
    const hanging = await startFakeAgent('rpi-1');
    hanging.answerAs((_request, response) => {
      response.writeHead(200).write('{');
    });
    const lab = await startLab({ agents: { 'rpi-1': hanging, 'rpi-2': agent } });

    await expect.poll(() => lab.machine('rpi-2')).toMatchObject({ condition: 'ok' });
  });

  it('follow rack.yaml', async () => {
    const [first, second] = [await startFakeAgent('rpi-1'), await startFakeAgent('rpi-2')];
    const lab = await startLab({ agents: { 'rpi-1': first } });
    await expect.poll(() => lab.machine('rpi-1')).toMatchObject({ condition: 'ok' });

    await lab.edit({ agents: { 'rpi-2': second } });

    await expect
      .poll(async () => (await lab.client.machines()).machines)
      .toMatchObject([{ name: 'rpi-2', condition: 'ok' }]);
    expect((await lab.client.rack()).rackFile.changes).toEqual([
      'machine rpi-1: removed',
      'machine rpi-2: added',
    ]);
  });
});

it('report how their tasks ended, also one that was too short to be seen', async () => {
  const agent = await startFakeAgent('rpi-1');
  const lab = await startLab({ agents: { 'rpi-1': agent } });
  const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString();
  const long = { id: 'long', since: minutesAgo(9) };
  const short = { id: 'short', since: minutesAgo(2) };
  const tasks = () => lab.entries('task');
  agent.set({ task: { running: true, ...long } });
  await expect.poll(tasks).toMatchObject([{ id: 'long' }]);

  const ended = { ...long, endedAt: minutesAgo(3), outcome: 'failed' };
  agent.set({ task: { running: false, last: ended } });
  await expect
    .poll(tasks)
    .toMatchObject([{ id: 'long', outcome: 'failed', endedAt: ended.endedAt }]);
  agent.set({
    task: { running: false, last: { ...short, endedAt: minutesAgo(1), outcome: 'succeeded' } },
  });

  await expect
    .poll(tasks)
    .toMatchObject([{ id: 'short', at: short.since, outcome: 'succeeded' }, { id: 'long' }]);
});

it('that do not report health are unknown, say so, and raise nothing', async () => {
  const agent = await startFakeAgent('rpi-1', { status: { health: undefined } });
  const lab = await startLab({ agents: { 'rpi-1': agent } });
  await expect.poll(() => lab.machine('rpi-1')).toMatchObject({ condition: 'unknown' });
  const unknown = await lab.machine('rpi-1');
  agent.set({ health: okHealth });

  await expect.poll(() => lab.machine('rpi-1')).toMatchObject({ condition: 'ok' });
  expect(unknown.sentence).toBe(
    'the agent does not report whether the machine is healthy; update the agent',
  );
  expect(unknown).not.toHaveProperty('needsAttention');
});

it('keep the reasons of their condition in the history, also if the service restarts before they respond', async () => {
  const since = new Date(Date.now() - 60_000).toISOString();
  const reason = { verdict: 'quarantined' as const, code: 'battery-low', text: 'at 3%', since };
  const health = { verdict: 'quarantined' as const, since, reasons: [reason] };
  const agent = await startFakeAgent('rpi-1', { status: { health } });
  const conditions = ({ entries }: Lab) => entries('condition');
  const lab = await startLab({ agents: { 'rpi-1': agent } });
  await expect.poll(() => conditions(lab)).toMatchObject([{ codes: ['battery-low'] }]);
  const before = await conditions(lab);
  await lab.stop();

  agent.answerAs((_request, response) => void response.writeHead(503).end());
  const later = await startLab({ agents: { 'rpi-1': agent }, previous: lab });
  expect(await later.machine('rpi-1')).toMatchObject({ condition: 'quarantined', since });
  expect(await conditions(later)).toEqual(before);
  agent.answerAs(undefined);

  await expect
    .poll(() => later.machine('rpi-1'))
    .toMatchObject({ health: { reasons: [{ code: 'battery-low' }] } });
  expect(await conditions(later)).toEqual(before);
});
