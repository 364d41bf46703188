import type { Message } from '@skolo/alerts';
import { afterEach, describe, expect, it } from 'vitest';
import { loggedEvents } from '../delivery/testing/delivery-lab.ts';
import { fails, fakeSink, hangs } from '../delivery/testing/fake-sink.ts';
import { steppedTime } from '../testing/stepped-time.ts';
import { Heartbeat, type HeartbeatDeps, type HeartbeatTarget } from './heartbeat.ts';

const begun: Heartbeat[] = [];

function setUp(more: Partial<HeartbeatDeps> = {}) {
  const time = steppedTime();
  const sink = fakeSink();
  const { emit, consume, messages } = loggedEvents(time.clock);
  const now = { every: 15 };
  const outcomes: string[] = [];
  const seen: { message: Message; at: number; orderingKey: string }[] = [];
  const target: HeartbeatTarget = { sink, status: () => ({ depth: 7, oldestSeconds: 12.34 }) };
  sink.behave = ([message], orderingKey) => {
    if (message) seen.push({ message, at: time.clock.uptime(), orderingKey });
  };
  consume((event) => {
    if (event.type === 'heartbeat-sent') outcomes.push(`${event.sink} sent`);
    if (event.type === 'heartbeat-failed') outcomes.push(`${event.sink} ${event.reason}`);
  });
  const heartbeat = new Heartbeat({
    targets: () => [target],
    every: () => now.every,
    health: () => ({ healthy: true, lastHeard: Date.parse('2026-11-20T11:59:30Z') }),
    version: '1.2.3',
    clock: time.clock,
    emit,
    pause: time.pause,
    ...more,
  });
  begun.push(heartbeat);
  const start = time.clock.uptime();
  return { heartbeat, target, messages, now, outcomes, seen, sink, start, time };
}

afterEach(async () => {
  await Promise.all(begun.splice(0).map((heartbeat) => heartbeat.stop()));
});

describe('heartbeat', () => {
  it('reports the state of the service at once', async () => {
    const { heartbeat, time, seen } = setUp();

    heartbeat.start();
    await time.settle();

    expect(seen).toEqual([
      {
        message: {
          kind: 'heartbeat',
          id: expect.stringMatching(/^[0-9a-f]{32}$/),
          at: '2026-11-20T12:00:00.000Z',
          version: '1.2.3',
          healthy: true,
          lastHeard: '2026-11-20T11:59:30.000Z',
          spoolDepth: 7,
          spoolOldestSeconds: 12,
          startedAt: '2026-11-20T12:00:00.000Z',
        },
        at: time.clock.uptime(),
        orderingKey: 'heartbeat',
      },
    ]);
  });

  it('reports why alerts do not get through', async () => {
    const { heartbeat, time, seen } = setUp({ health: () => ({ healthy: false, why: 'silent' }) });

    heartbeat.start();
    await time.settle();

    expect(seen[0]?.message).toMatchObject({ healthy: false, why: 'silent' });
  });

  it('comes every heartbeatSeconds, in step, by the current settings', async () => {
    const { heartbeat, time, seen, now, start } = setUp();
    heartbeat.start();
    await time.pass(50_000);
    expect(seen.map(({ at }) => at - start)).toEqual([0, 15, 30, 45]);

    now.every = 3;
    heartbeat.follow();
    await time.pass(7000);

    expect(seen.slice(4).map(({ at }) => at - start)).toEqual([50, 51, 54, 57]);
  });

  it('is not made up for after a sleep', async () => {
    const { heartbeat, time, seen, start } = setUp();
    heartbeat.start();
    await time.settle();

    time.clock.pass(3_600_000);
    await time.pass(20_000);

    expect(seen.map(({ at }) => at - start)).toEqual([0, 3600, 3615]);
  });

  it('is never sent twice at once, and given up when it hangs', async () => {
    const { heartbeat, time, sink, outcomes, messages } = setUp();
    let isHanging = true;
    sink.behave = (_, __, signal) => (isHanging ? hangs(signal) : undefined);

    heartbeat.start();
    await time.pass(40_000);
    expect(sink.most).toBe(1);
    expect(outcomes).toEqual(['pubsub timeout', 'pubsub timeout', 'pubsub timeout']);
    isHanging = false;
    await time.pass(15_000);

    expect(outcomes.at(-1)).toBe('pubsub sent');
    expect(messages).toEqual([
      'heartbeats are not being delivered',
      'heartbeats are being delivered again',
    ]);
  });

  it('is given up after its period where that is shorter, and the next one follows', async () => {
    const { heartbeat, time, sink, now } = setUp();
    now.every = 2;
    sink.behave = (_, __, signal) => hangs(signal);

    heartbeat.start();
    await time.pass(20_500);

    expect(sink.most).toBe(1);
    expect(sink.calls).toHaveLength(11);
  });

  it('goes to one sink though another hangs, and to those that take heartbeats now', async () => {
    const dead = fakeSink({ name: 'dead' });
    const late = fakeSink({ name: 'late' });
    const status = () => ({ depth: 0, oldestSeconds: 0 });
    const wanted: HeartbeatTarget[] = [{ sink: dead, status }];
    const { heartbeat, time, sink, outcomes, target } = setUp({ targets: () => wanted });
    dead.behave = (_, __, signal) => hangs(signal);
    wanted.push(target);

    heartbeat.start();
    await time.settle();
    expect(outcomes).toEqual(['pubsub sent']);
    wanted.splice(0, 2, { sink: late, status });
    await time.pass(31_000);

    expect(sink.calls).toHaveLength(1);
    expect(dead.calls).toHaveLength(1);
    expect(late.calls).toHaveLength(2);
  });

  it('is logged when the reason changes, counted each time', async () => {
    const { heartbeat, time, sink, outcomes, messages } = setUp();
    sink.behave = () => fails('unavailable');

    heartbeat.start();
    await time.pass(46_000);

    expect(outcomes).toHaveLength(4);
    expect(messages).toEqual(['heartbeats are not being delivered']);
  });

  it('always has the same start time, unless the wall clock was set', async () => {
    const { heartbeat, time, seen } = setUp();
    heartbeat.start();
    await time.pass(16_000);
    time.clock.setWall(time.clock.now() + 3_600_000);
    await time.pass(15_000);

    const times = seen.map(({ message }) => 'startedAt' in message && message.startedAt);
    expect(times).toEqual([
      '2026-11-20T12:00:00.000Z',
      '2026-11-20T12:00:00.000Z',
      '2026-11-20T13:00:00.000Z',
    ]);
  });

  it('ends at once when it is stopped', async () => {
    const { heartbeat, time, sink } = setUp();
    sink.behave = (_, __, signal) => hangs(signal);
    heartbeat.start();
    await time.settle();

    await heartbeat.stop();

    expect(sink.underWay).toBe(0);
    expect(time.pauses()).toEqual([]);
  });
});
