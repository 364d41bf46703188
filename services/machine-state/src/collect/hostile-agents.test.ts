/** A task is root on its machine: what its agent may send, and what of it counts. */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, it } from 'vitest';
import { startFakeAgent } from '../testing/fake-agent.ts';
import { startLab } from '../testing/lab.ts';

const since = '2026-11-20T11:00:00Z';
const phone = { name: 'device', state: 'present' as const };

async function startRack() {
  const agent = await startFakeAgent('rpi-1', { status: { devices: [phone] } });
  const lab = await startLab({
    agents: { 'rpi-1': agent },
    more: () => ', device: { kind: android }',
    deps: { writeEveryMs: 10, readingsEveryMs: 10 },
  });
  await expect.poll(() => lab.machine('rpi-1')).toMatchObject({ condition: 'ok' });
  return { agent, lab };
}

it('has only the devices that rack.yaml gives it, and no series for another one', async () => {
  const { agent, lab } = await startRack();

  for (let round = 0; round < 4; round += 1) {
    const others = Array.from({ length: 8 }, (_, at) => ({
      ...phone,
      name: `${round}-${at}-${'x'.repeat(7000)}`,
      batteryPercent: 50,
    }));
    const first = { ...phone, batteryPercent: round };
    agent.set({ devices: [first, ...others] });
    await expect
      .poll(() => lab.machine('rpi-1'))
      .toMatchObject({ devices: [{ batteryPercent: round }] });
  }

  const { devices } = await lab.machine('rpi-1');
  expect(devices.map(({ name }) => name)).toEqual(['device']);
  await lab.stop();
  const database = new DatabaseSync(join(lab.stateDir, 'history.sqlite'));
  const select = "SELECT machine, device FROM names WHERE machine <> '' ORDER BY device";
  const names = database.prepare(select).all();
  database.close();
  expect(names.map((row) => ({ ...row }))).toEqual([
    { machine: 'rpi-1', device: '' },
    { machine: 'rpi-1', device: 'device' },
  ]);
});

it('has no reading that cannot be, and keeps the others', async () => {
  const { agent, lab } = await startRack();
  const temperaturesCelsius = {
    battery: 31,
    absolute_zero: -273,
    sun: 1e308,
    [`${'s'.repeat(41)}`]: 30,
  };

  agent.set({
    devices: [{ ...phone, batteryPercent: 1e308, temperaturesCelsius, uptimeSeconds: -1 }],
    host: { diskFreeBytes: -5, celsius: 1e300, throttled: true },
    task: { running: true, id: 'a task' },
  });

  await expect.poll(() => lab.machine('rpi-1')).toMatchObject({ sentence: 'running task a task' });
  const { devices, host } = await lab.machine('rpi-1');
  expect(devices).toEqual([{ ...phone, temperaturesCelsius: { battery: 31 } }]);
  expect(host).toEqual({ throttled: true });
});

it('is cut to what a status of an honest agent has', async () => {
  const { agent, lab } = await startRack();
  const long = 'x'.repeat(9000);
  const reason = { verdict: 'quarantined' as const, code: 'a', text: 'b', since };

  agent.set({
    bootId: long,
    task: { running: true, id: long },
    devices: [{ ...phone, why: long, serial: long, dimensions: { os: [long], [long]: ['x'] } }],
    bot: { state: 'running', since, healthy: true, starts: 1, why: long, server: long },
    health: {
      verdict: 'ok',
      since,
      reasons: [{ ...reason, code: long, text: long, device: long }],
    },
  });
  await expect.poll(() => lab.machine('rpi-1')).toMatchObject({ bot: { state: 'running' } });
  const first = await lab.machine('rpi-1');
  agent.set({
    task: { running: false },
    devices: Array.from({ length: 200 }, () => phone),
    health: {
      verdict: 'quarantined',
      since,
      reasons: Array.from({ length: 900 }, () => reason),
    },
  });
  await expect.poll(() => lab.machine('rpi-1')).toMatchObject({ condition: 'quarantined' });
  const second = await lab.machine('rpi-1');

  expect(JSON.stringify(first).length).toBeLessThan(6000);
  expect(second.health?.reasons).toHaveLength(50);
  expect(second.devices).toHaveLength(1);
});

it('is not heard with a time of thousands of digits, which would be shown', async () => {
  const { agent, lab } = await startRack();
  const time = `2026-11-20T11:00:00.${'0'.repeat(5000)}Z`;

  agent.set({ health: { verdict: 'ok', since: time, reasons: [] } });

  await expect.poll(() => agent.requests.length).toBeGreaterThan(4);
  expect((await lab.machine('rpi-1')).health?.since).not.toBe(time);
});

it.each([
  [60_000, 'a line', 'xxx'],
  // More than a client parses of an error, as that of a proxy with a page of its own.
  [100_000, 'nothing', 'the response (500, application/problem+json) is not from this service'],
])('is heard with what it says about a rejection, in %d characters: %s', async (length, _, why) => {
  const { agent, lab } = await startRack();
  const problem = JSON.stringify({
    type: 'about:blank',
    title: 'no',
    status: 500,
    detail: 'x'.repeat(length),
  });

  agent.answerAs((_request, response) =>
    response.writeHead(500, { 'content-type': 'application/problem+json' }).end(problem),
  );
  await lab.client.order({ body: { machines: ['rpi-1'], kind: 'quarantine', reason: 'a look' } });

  await expect
    .poll(async () => (await lab.machine('rpi-1')).orders)
    .toMatchObject([{ why: expect.stringContaining(why) }]);
  expect(JSON.stringify(await lab.machine('rpi-1')).length).toBeLessThan(4000);
});
