/** This service pauses, as with its virtual machine or on a hanging disk: nobody is silent because of that, and nobody is well again. */
import { createServer } from 'node:http';
import { listen } from '@skolo/base/testing';
import { fakeClock } from '@skolo/common/testing';
import { expect, it } from 'vitest';
import { startFakeAgent } from '../testing/fake-agent.ts';
import { type Lab, servicesEvery, startLab } from '../testing/lab.ts';

async function startPaused() {
  const clock = fakeClock('2026-11-20T12:00:00Z');
  const agents = { 'rpi-1': await startFakeAgent('rpi-1'), 'rpi-2': await startFakeAgent('rpi-2') };
  const lab = await startLab({ agents, clock });
  const conditions = async () =>
    (await lab.client.machines()).machines.map(({ condition }) => condition);
  await expect.poll(conditions).toEqual(['ok', 'ok']);
  return { clock, agents, lab, conditions };
}

async function ownDegraded(lab: Lab) {
  const { services } = await lab.client.rack();
  return services.find(({ name }) => name === 'machine-state')?.degraded;
}

it('a pause is not the silence of machines; it is counted and shown for ten minutes', async () => {
  const { clock, agents, lab, conditions } = await startPaused();
  await agents['rpi-2'].close();
  await expect.poll(async () => (await lab.machine('rpi-2')).sentence).toBe('waiting for a task');
  clock.pass(55_000);
  clock.sleep(38_000);

  await expect
    .poll(() => ownDegraded(lab))
    .toMatchObject([
      {
        what: 'pauses',
        why: expect.stringMatching(/^the service was paused for 38 s \(1 pause since/),
      },
    ]);
  expect(await lab.metrics()).toMatch(/^skolo_pauses_total 1$/m);
  expect(await conditions()).toEqual(['ok', 'ok']);
  clock.pass(61_000);
  await expect.poll(() => lab.machine('rpi-2')).toMatchObject({ condition: 'stale' });
  clock.pass(600_000);
  await expect.poll(() => ownDegraded(lab)).toEqual([]);
});

it('what was silent before a pause is silent until it answers, also after hours and with another wall clock', async () => {
  const { clock, agents, lab } = await startPaused();
  const { 'rpi-2': agent } = agents;
  const condition = async () => (await lab.machine('rpi-2')).condition;
  agent.answerAs(() => undefined);
  const before = agent.requests.length;
  agent.set({});
  await expect.poll(() => agent.requests.length).toBeGreaterThan(before);
  const asked = agent.requests.length;
  clock.pass(61_000);
  await expect.poll(condition).toBe('stale');
  clock.sleep(7_200_000);
  clock.setWall('1970-01-01T00:00:00Z');
  await expect.poll(() => ownDegraded(lab)).toHaveLength(1);
  expect(await condition()).toBe('stale');
  expect(Date.parse((await lab.machine('rpi-2')).lastSeen ?? '')).toBeLessThan(-7_200_000);

  agent.answerAs(undefined);
  await expect.poll(() => agent.requests.length).toBeGreaterThan(asked);
  await expect.poll(condition).toBe('ok');
});

it('a service is neither reachable nor unreachable before it was asked to the end', async () => {
  const silent = createServer();
  const url = `http://127.0.0.1:${await listen(silent)}`;
  const lab = await startLab({
    rack: `services:\n  router-backup: { url: "${url}", metricsUrl: "${url}" }\n`,
    deps: { services: servicesEvery(100) },
  });
  const router = async () => {
    const { services } = await lab.client.rack();
    return services.find(({ name }) => name === 'router-backup');
  };

  await expect.poll(async () => (await router())?.state).toBe('unknown');
  silent.closeAllConnections();
  silent.close();
  await expect.poll(router).toMatchObject({ state: 'unreachable', why: expect.any(String) });
});
