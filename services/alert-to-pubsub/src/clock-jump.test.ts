/** The wall clock is set while alerts fire: nothing ends by it, nothing is rejected for it, and no outage is made of it. */

import { type FakeClock, fakeClock } from '@skolo/common/testing';
import { describe, expect, it } from 'vitest';
import { type Lab, startLab } from './testing/lab.ts';

const start = Date.parse('2026-11-20T12:00:00Z');
const second = 1000;
const minute = 60 * second;
const day = 24 * 60 * minute;

const ahead: [string, number] = ['a day ahead', start + day];
const back: [string, number] = ['a day back', start - day];
const to1970: [string, number] = ['to 1970', 5 * minute];

/** Uptime passes, and the wall clock with it, unless it jumps. */
function newClock(wall = start): FakeClock {
  return fakeClock(wall, 50_000);
}

/** Two Prometheis that watch the same, and an Alertmanager; their clock is that of the service. */
function senders(lab: Lab, clock: FakeClock, startedAt = clock.now()) {
  const iso = (ms: number) => new Date(ms).toISOString();
  const labels = { alertname: 'Hot', name: 'v2' };
  return async function send() {
    for (const behind of [0, 15 * second]) {
      const alert = {
        labels,
        startsAt: iso(startedAt + behind),
        endsAt: iso(clock.now() + 4 * minute),
      };
      // At the first time the second one has not seen it yet.
      if (behind === 0 || clock.uptime() > 50_030) expect((await lab.post(alert)).status).toBe(200);
    }
    const alert = {
      status: 'firing',
      labels: { alertname: 'Hot', name: 'webhook' },
      startsAt: iso(startedAt),
      endsAt: '0001-01-01T00:00:00Z',
    };
    const body = JSON.stringify({
      version: '4',
      groupKey: 'hot',
      receiver: 'skolo',
      alerts: [alert],
    });
    const response = await fetch(`${lab.url}/webhook`, { method: 'POST', body });
    expect(response.status).toBe(200);
  };
}

const summaries = (lab: Lab) =>
  lab
    .arrived()
    .filter(({ kind }) => kind !== 'refresh')
    .map(({ kind, body, attributes }) =>
      kind === 'notice' ? `notice ${attributes.alertname}` : `${body.name} ${attributes.status}`,
    )
    // Each alert has an order, and no other.
    .sort();
/** It knows, too. */
async function allDelivered(lab: Lab) {
  await expect.poll(async () => (await lab.client.status({})).sinks[0]?.depth).toBe(0);
}
const refreshes = (lab: Lab, name: string) =>
  lab.arrived().filter(({ kind, body }) => kind === 'refresh' && body.name === name).length;

describe.each([ahead, back, to1970])('a clock that jumps %s', (_, wall) => {
  it('ends no alert, and refreshes and heartbeats go on', async () => {
    const clock = newClock();
    const lab = await startLab({ clock, settings: 'heartbeatSeconds: 1' });
    const send = senders(lab, clock);
    let seen = 0;
    for (let step = 0; step < 32; step += 1) {
      if (step === 6) clock.setWall(wall);
      if (step === 26) clock.setWall(start + 20 * minute);
      const beats = lab.heartbeats().length;
      clock.pass(15 * second);
      await send();
      await allDelivered(lab);
      if (step % 4 !== 3) continue;
      // The next heartbeat is due by uptime, whatever the wall clock shows.
      await expect.poll(() => lab.heartbeats().length).toBeGreaterThan(beats);
      expect(lab.heartbeats().at(-1)?.attributes.status).toBe('healthy');
      // Each alert has its own moment of the minute, and one that has just begun waits for the next one.
      if (step === 3) continue;
      await expect.poll(() => refreshes(lab, 'v2')).toBeGreaterThan(seen);
      seen = refreshes(lab, 'v2');
    }

    expect(summaries(lab)).toEqual(['v2 firing', 'webhook firing']);
    expect(refreshes(lab, 'webhook')).toBeGreaterThanOrEqual(7);
    expect((await lab.readyz()).status).toBe(200);
    expect((await lab.client.status({})).why).toBeUndefined();
  });
});

describe.each([1, 30, 59, 61, 600])('a clock that steps back by %i s', (seconds) => {
  /** The end of two alerts that began 2 s before the step; it comes some seconds after it was first sent. */
  async function stepAndEnd(laterSeconds: number) {
    const clock = newClock();
    const lab = await startLab({ clock });
    const send = senders(lab, clock);
    await send();
    await expect.poll(() => summaries(lab)).toEqual(['v2 firing', 'webhook firing']);
    await allDelivered(lab);
    clock.pass(2 * second);
    clock.setWall(clock.now() - seconds * second);
    clock.pass(500);
    const ended = {
      startsAt: new Date(start).toISOString(),
      endsAt: new Date(clock.now()).toISOString(),
    };
    clock.pass(laterSeconds * second);
    const answer = await lab.post({ labels: { alertname: 'Hot', name: 'v2' }, ...ended });
    const body = {
      version: '4',
      groupKey: 'hot',
      receiver: 'skolo',
      alerts: [{ status: 'resolved', labels: { alertname: 'Hot', name: 'webhook' }, ...ended }],
    };
    const webhook = await fetch(`${lab.url}/webhook`, {
      method: 'POST',
      body: JSON.stringify(body),
    });
    expect([answer.status, webhook.status]).toEqual([200, 200]);
    return lab;
  }

  it.each([
    { title: 'at once', laterSeconds: 0 },
    { title: 'when Prometheus repeats it later', laterSeconds: 200 },
  ])('ends an alert that began before, $title', async ({ laterSeconds }) => {
    const lab = await stepAndEnd(laterSeconds);

    await expect
      .poll(() => summaries(lab))
      .toEqual(['v2 firing', 'v2 resolved', 'webhook firing', 'webhook resolved']);
    expect((await lab.client.deadLetters({ query: { limit: 10 } })).deadLetters).toEqual([]);
  });
});

it('a clock that is set for the first time ends no alert, and makes no message too old', async () => {
  const clock = newClock(2 * minute);
  const lab = await startLab({ clock, settings: 'spool: { maxAgeHours: 1 }' });
  const send = senders(lab, clock);
  await lab.pubsub.stop();
  for (let step = 0; step < 4; step += 1) {
    clock.pass(15 * second);
    await send();
  }
  clock.setWall(start);
  await send();
  await lab.stop();
  const again = await startLab({ previous: lab, clock, settings: 'spool: { maxAgeHours: 1 }' });
  clock.pass(5 * second);
  await lab.pubsub.start();

  await expect.poll(() => summaries(again)).toEqual(['v2 firing', 'webhook firing']);
  expect((await again.post({ labels: { alertname: 'New', name: 'new' } })).status).toBe(200);
  await expect.poll(() => summaries(again)).toEqual(['new firing', 'v2 firing', 'webhook firing']);
});
