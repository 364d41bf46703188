import type { Client, machineStateApi } from '@skolo/api';
import { expect, it } from 'vitest';
import { startFakeAgent } from '../testing/fake-agent.ts';
import { startLab } from '../testing/lab.ts';

const busy = { task: { running: true, id: '6a1b' } };

it('begins with everything, and goes on with each change', async () => {
  const agent = await startFakeAgent('rpi-1');
  const lab = await startLab({ agents: { 'rpi-1': agent } });
  await expect.poll(() => lab.machine('rpi-1')).toMatchObject({ condition: 'ok' });
  const { events } = await lab.client.changes();
  const found: string[] = [];
  const reading = (async () => {
    for await (const event of events) {
      if (event.name === 'all') found.push(`all ${event.data.machines.map(({ name }) => name)}`);
      if (event.name === 'machine') found.push(event.data.sentence);
      if (event.name === 'removed') found.push(`removed ${event.data.name}`);
    }
  })().catch(() => undefined);

  await expect.poll(() => found.length).toBeGreaterThan(0);
  agent.set(busy);
  await expect.poll(() => found.at(-1)).toBe('running task 6a1b');
  await lab.edit({ agents: {} });
  await expect.poll(() => found.at(-1)).toBe('removed rpi-1');

  expect(found[0]).toBe('all rpi-1');
  await lab.stop();
  await reading;
});

it('sends who comes back what has changed since', async () => {
  const [agent, other] = [await startFakeAgent('rpi-1'), await startFakeAgent('rpi-2')];
  const lab = await startLab({ agents: { 'rpi-1': agent, 'rpi-2': other } });
  for (const name of ['rpi-1', 'rpi-2']) {
    await expect.poll(() => lab.machine(name)).toMatchObject({ condition: 'ok' });
  }
  const first = await firstEvents(lab.client, undefined);

  agent.set(busy);
  await expect.poll(() => lab.machine('rpi-1')).toMatchObject({ task: { id: '6a1b' } });

  const since = await firstEvents(lab.client, first.id);
  expect(since.events.slice(0, 2)).toMatchObject([
    { name: 'machine', data: { name: 'rpi-1', task: { id: '6a1b' } } },
    { name: 'rack' },
  ]);
  const unknown = await firstEvents(lab.client, '00000000-7');
  expect(unknown.events[0]).toMatchObject({ name: 'all' });
});

it('does not send that the connection of a phone has grown older', async () => {
  const phone = (connectedSeconds: number) => {
    return { devices: [{ name: 'device', state: 'present' as const, connectedSeconds }] };
  };
  const agent = await startFakeAgent('rpi-1', { status: phone(10) });
  const more = () => ', device: { kind: android }';
  const lab = await startLab({ agents: { 'rpi-1': agent }, more });
  await expect.poll(() => lab.machine('rpi-1')).toMatchObject({ condition: 'ok' });
  const first = await firstEvents(lab.client, undefined);

  agent.set(phone(20));
  await expect.poll(() => lab.machine('rpi-1')).toMatchObject(phone(20));

  const since = await firstEvents(lab.client, first.id);
  expect(since.events.map(({ name }) => name)).toEqual(['rack']);
});

it('sends that a battery level is no longer of now, but not how old it is', async () => {
  const phone = (minutes: number, batteryAt = minutes) => {
    const at = (minute: number) => new Date(Date.UTC(2026, 10, 20, 12, minute)).toISOString();
    const times = { readAt: at(minutes), batteryAt: at(batteryAt) };
    return {
      devices: [{ name: 'device', state: 'present' as const, batteryPercent: 7, ...times }],
    };
  };
  const agent = await startFakeAgent('rpi-1', { status: phone(0) });
  const more = () => ', device: { kind: android }';
  const lab = await startLab({ agents: { 'rpi-1': agent }, more });
  const sent = async (status: ReturnType<typeof phone>) => {
    const { id } = await firstEvents(lab.client, undefined);
    agent.set(status);
    await expect.poll(() => lab.machine('rpi-1')).toMatchObject(status);
    return (await firstEvents(lab.client, id)).events.map(({ name }) => name);
  };
  await expect.poll(() => lab.machine('rpi-1')).toMatchObject({ condition: 'ok' });

  expect(await sent(phone(1))).toEqual(['rack']);
  expect(await sent(phone(2, 1))).toEqual(['machine', 'rack']);
  expect(await sent(phone(3, 1))).toEqual(['rack']);
});

/** Until the one that has everything. */
async function firstEvents(client: Client<typeof machineStateApi>, lastId: string | undefined) {
  const stop = new AbortController();
  const { events } = await client.changes({
    ...(lastId !== undefined && { headers: { 'last-event-id': lastId } }),
    signal: stop.signal,
  });
  const found: { name: string; data: unknown; id?: string }[] = [];
  for await (const event of events) {
    found.push(event);
    if (event.name === 'all' || event.name === 'rack') break;
  }
  stop.abort();
  return { events: found, id: found.at(-1)?.id };
}
