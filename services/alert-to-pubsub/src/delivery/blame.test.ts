/** What a failure is about: a rejection about one message, which rests only its alert; everything else about the sink. */

import { SinkError } from '@skolo/alerts';
import { describe, expect, it } from 'vitest';
import type { SteppedTime } from '../testing/stepped-time.ts';
import { startedLab } from './testing/delivery-lab.ts';
import { type FakeSink, fails, fakeSink } from './testing/fake-sink.ts';

/** By alert, as they were accepted. */
function idsByKey(ids: readonly string[], keys: number) {
  return new Map(
    Array.from({ length: keys }, (_, key) => [
      `key-${key}`,
      ids.filter((_, n) => n % keys === key),
    ]),
  );
}

/** Without notices. */
function alertsIn(arrived: ReadonlyMap<string, readonly string[]>) {
  const alerts = (ids: readonly string[]) => ids.filter((id) => id.startsWith('m'));
  return new Map([...arrived].map(([key, ids]) => [key, alerts(ids)]));
}

/** Lets it send whatever it sends without a pause. */
async function sendAll(time: SteppedTime, sink: FakeSink): Promise<void> {
  for (let before = -1; sink.calls.length > before; ) {
    before = sink.calls.length;
    await time.settle();
  }
}

const idsIn = (sink: FakeSink) => [...alertsIn(sink.arrived).values()].flat().toSorted();
const attempts = (sink: FakeSink, id: string) =>
  sink.calls.filter(({ ids }) => ids.length === 1 && ids[0] === id).length;

describe('a sink that has accepted nothing since its settings changed, and rejects everything', () => {
  it.each([
    ['one by one', 1, 4000],
    ['in batches', 100, 6000],
    ['for an hour', 1, 3_600_000],
    ['for an hour, in batches', 100, 3_600_000],
  ] as const)('gets everything in order once it accepts messages: %s', async (_, messages, ms) => {
    const sink = fakeSink({ keys: 8, messages });
    let isWrong = true;
    sink.behave = () => (isWrong ? fails('rejected', '400') : undefined);
    const { time, ids, isEmpty, letters, delivery } = await startedLab(50, 8, { sink });

    await time.pass(ms);
    const during = delivery.status();
    isWrong = false;
    await time.until(isEmpty);

    expect(during).toMatchObject({ depth: 50, reason: 'rejected', down: true, setAside: 0 });
    expect(letters).toEqual([]);
    expect(alertsIn(sink.arrived)).toEqual(idsByKey(ids, 8));
    expect(delivery.status().failingSince).toBeUndefined();
  });

  it.each([1, 50])(
    'gets each of %i messages once, and then ever fewer repeated attempts',
    async (many) => {
      const sink = fakeSink({ keys: 8, messages: 1 });
      sink.behave = () => fails('rejected', '400');
      const { time } = await startedLab(many, many, { sink });
      await time.settle();
      expect(new Set(sink.calls.flatMap(({ ids }) => ids)).size).toBe(many);

      await time.pass(600_000);

      expect(sink.calls.length).toBeGreaterThanOrEqual(many + 10);
      expect(sink.calls.length).toBeLessThanOrEqual(many + 15);
    },
  );

  it('gets an alert that it accepts at once, whatever it has rejected', async () => {
    const sink = fakeSink({ keys: 8, messages: 1 });
    sink.behave = (_, key) => (key === 'key-0' ? undefined : fails('rejected', '400'));
    const { time, accept, letters } = await startedLab(0, 1, { sink });
    await accept(3000, 3001);
    await sendAll(time, sink);
    expect(idsIn(sink)).toEqual(['m0']);

    await accept(1);
    await sendAll(time, sink);

    expect(idsIn(sink)).toEqual(['m0', 'm3000']);
    expect(letters).toEqual([]);
    await time.until(() => letters.length === 2999);
  });
});

describe('a sink that has accepted messages, and then rejects everything for a moment', () => {
  it('loses nothing', async () => {
    const sink = fakeSink({ keys: 8, messages: 1 });
    const { time, accept, isEmpty, letters } = await startedLab(40, 8, { sink });
    await time.until(isEmpty);

    for (let outage = 0; outage < 20; outage += 1) {
      sink.behave = () => fails('rejected', '400');
      await accept(8, 8);
      await time.pass(20_000);
      sink.behave = () => undefined;
      await time.until(isEmpty);
    }

    expect(letters).toEqual([]);
  });
});

it.each([1, 100])(
  'one message that fails for ever after an outage, of the same rule as the others, delays them by a minute at most: %i at once',
  async (messages) => {
    const sink = fakeSink({ keys: 8, messages });
    if (messages === 1) sink.groupOf = () => 'HostDown';
    let isDown = true;
    sink.behave = (sent) =>
      isDown || sent.some(({ id }) => id === 'm12')
        ? fails('unavailable', '503')
        : sent.some(({ id }) => id === 'm5') && attempts(sink, 'm5') < 3
          ? fails('rejected', '400')
          : undefined;
    const { time, ids } = await startedLab(13, 13, { sink, hasAccepted: true });
    await time.pass(300_000);
    isDown = false;

    await time.pass(60_000);

    expect(idsIn(sink)).toEqual(ids.filter((id) => id !== 'm12').toSorted());
  },
);

describe('one message that a sink rejects for ever', () => {
  it.each([1, 100])('holds up only its alert, for four attempts: %i at once', async (messages) => {
    const sink = fakeSink({ keys: 8, messages });
    const poison = 'm234';
    sink.behave = (sent) => (sent.some(({ id }) => id === poison) ? fails('rejected') : undefined);
    const lab = await startedLab(800, 8, { sink });
    const { time, ids, isEmpty, letters, sent, delivery, logged } = lab;

    await time.until(() => sent.messages >= 700);
    expect(sink.arrived.get('key-2')).not.toContain(poison);
    await time.until(isEmpty);

    expect(attempts(sink, poison)).toBe(4);
    expect(letters).toMatchObject([{ from: 'pubsub', found: { id: poison } }]);
    expect(delivery.status()).toMatchObject({ setAside: 1, depth: 0 });
    expect(logged.messages.filter((text) => text === 'message became a dead letter')).toHaveLength(
      1,
    );
    const expected = [...idsByKey(ids, 8)].map(([key, of]) => [
      key,
      of.filter((id) => id !== poison),
    ]);
    expect([...alertsIn(sink.arrived)].sort()).toEqual(expected);
  });

  it('is found among the others of its ordering key, which it does not hold up', async () => {
    const sink = fakeSink({ keys: 8, messages: 100 });
    sink.orderingKeyOf = () => 'the same';
    const isPoison = (id: string) => Number(id.slice(1)) % 50 === 7;
    sink.behave = (sent) => (sent.some(({ id }) => isPoison(id)) ? fails('rejected') : undefined);
    const { time, ids, isEmpty, letters } = await startedLab(1000, 1000, { sink });

    await sendAll(time, sink);

    expect(idsIn(sink)).toEqual(ids.filter((id) => !isPoison(id)).toSorted());
    expect(sink.calls.length).toBeLessThan(800);
    expect(letters).toEqual([]);
    await time.until(isEmpty);
    expect(letters).toHaveLength(20);
  });

  it('does not hold up a later change of its alert for longer than a flapping alert changes', async () => {
    const sink = fakeSink({ keys: 8, messages: 1 });
    sink.behave = (_, key) => (key === 'key-0' ? fails('rejected') : undefined);
    const { time, accept, letters, delivery } = await startedLab(0, 1, { sink, hasAccepted: true });

    for (let change = 0; change < 400; change += 1) {
      await accept(1);
      await time.pass(5000);
    }

    expect(delivery.status().depth).toBeLessThan(10);
    expect(letters.length).toBeGreaterThan(390);
  });

  it('is set aside only once, though the process dies meanwhile', async () => {
    const sink = fakeSink({ keys: 8, messages: 10 });
    sink.behave = (sent) => (sent.some(({ id }) => id === 'm3') ? fails('rejected') : undefined);
    const { time, ids, letters, isEmpty, newDelivery, delivery } = await startedLab(80, 8, {
      sink,
    });
    await time.pass(3000);
    const stopping = delivery.stop();
    await time.pass(6000);
    await stopping;

    newDelivery().start();
    await time.until(isEmpty);

    expect(letters).toMatchObject([{ found: { id: 'm3' } }]);
    expect(new Set([...alertsIn(sink.arrived).values()].flat())).toEqual(
      new Set(ids.filter((id) => id !== 'm3')),
    );
  });
});

describe('a failure of the sink', () => {
  it.each([
    ['unavailable', 1],
    ['unavailable', 100],
    ['timeout', 1],
    ['permission', 1],
    ['topic', 100],
    ['quota', 1],
  ] as const)(
    'sets nothing aside, though one message meets it for ever, and all others arrive: %s, %i at once',
    async (why, messages) => {
      const sink = fakeSink({ keys: 8, messages });
      let poison = 'm77';
      sink.behave = (sent) => (sent.some(({ id }) => id === poison) ? fails(why) : undefined);
      const { time, ids, isEmpty, letters, sent, accept } = await startedLab(200, 200, { sink });

      await time.until(() => sent.messages === 199);
      await time.pass(600_000);
      const [page = ''] = await accept(1, 1000);
      const before = time.clock.uptime();
      await time.until(() => [...sink.arrived.values()].flat().includes(page));
      expect(time.clock.uptime() - before).toBeLessThanOrEqual(30);
      expect(letters).toEqual([]);
      poison = '';
      await time.until(isEmpty);

      expect(idsIn(sink)).toEqual([...ids, page].toSorted());
    },
  );

  it('at every other call delays no page for long', async () => {
    const sink = fakeSink({ keys: 8, messages: 1 });
    sink.groupOf = (message) => sink.orderingKeyOf(message).slice(0, 5);
    sink.behave = () => (sink.calls.length % 2 === 0 ? fails('unavailable', '500') : undefined);
    const { time, accept, letters } = await startedLab(3000, 3000, { sink });
    await time.pass(10_000);

    for (let page = 0; page < 20; page += 1) {
      const before = time.clock.uptime();
      const [id = ''] = await accept(1, 7000 + page);
      await time.until(() => [...sink.arrived.values()].flat().includes(id));
      expect(time.clock.uptime() - before).toBeLessThan(60);
    }
    expect(letters).toEqual([]);
  });

  it('is over for all when it is over: whatever it asked for passes once', async () => {
    const sink = fakeSink({ keys: 8, messages: 1 });
    const calledAt: number[] = [];
    sink.behave = () => {
      calledAt.push(time.clock.uptime());
      if (calledAt.length > 8) return;
      throw new SinkError('quota', '429', 'too many requests', { retryAfterSeconds: 45 });
    };
    const { time, isEmpty } = await startedLab(100, 100, { sink });
    const begun = time.clock.uptime();

    await time.until(isEmpty);

    expect(calledAt.slice(0, 9).map((at) => at - begun)).toEqual([...Array(8).fill(0), 45]);
    expect(time.clock.uptime() - begun).toBe(45);
  });
});
