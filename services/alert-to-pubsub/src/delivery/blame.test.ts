/** Which message is to blame: one that the sink rejects while it takes others. A sink that takes none is not asked for less. */
import { describe, expect, it } from 'vitest';
import { startedLab } from './testing/delivery-lab.ts';
import { fails, fakeSink } from './testing/fake-sink.ts';

/** By ordering key, as they were accepted. */
function idsByKey(ids: readonly string[], keys: number) {
  const byKey = new Map<string, string[]>();
  ids.forEach((id, n) => {
    const key = `key-${n % keys}`;
    byKey.set(key, [...(byKey.get(key) ?? []), id]);
  });
  return byKey;
}

/** Without notices. */
function alertsIn(arrived: ReadonlyMap<string, readonly string[]>) {
  const alerts = (ids: readonly string[]) => ids.filter((id) => id.startsWith('m'));
  return new Map([...arrived].map(([key, ids]) => [key, alerts(ids)]));
}

describe('a sink that rejects everything', () => {
  it.each([
    ['one by one', 1, 4000],
    ['in batches', 100, 6000],
    ['for an hour', 1, 3_600_000],
    ['for an hour, in batches', 100, 3_600_000],
  ])('gets everything in order once it takes messages again: %s', async (_, messages, ms) => {
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

  it('is asked less and less often', async () => {
    const sink = fakeSink({ keys: 8, messages: 1 });
    sink.behave = () => fails('rejected', '400');
    const { time } = await startedLab(50, 8, { sink });

    await time.pass(600_000);

    // Those behind the first of an ordering key are tried, too.
    expect(sink.calls.length).toBeLessThan(1500);
  });

  it('loses nothing when it took messages before, and does again now and then', async () => {
    const sink = fakeSink({ keys: 8, messages: 1 });
    const { time, accept, isEmpty, letters } = await startedLab(40, 8, { sink });
    await time.until(isEmpty);

    for (let outage = 0; outage < 20; outage += 1) {
      sink.behave = () => fails('rejected', '400');
      await accept(16, 8);
      await time.pass(20_000);
      sink.behave = () => undefined;
      await time.until(isEmpty);
    }

    expect(letters).toEqual([]);
  });
});

describe('one message that a sink rejects for ever', () => {
  it.each([
    ['rejected', 1],
    ['unavailable', 1],
    ['unavailable', 100],
    ['timeout', 100],
  ] as const)('holds up only its key, and is set aside: %s, %i at once', async (why, messages) => {
    const sink = fakeSink({ keys: 8, messages });
    const poison = 'm1234';
    sink.behave = (sent) => (sent.some(({ id }) => id === poison) ? fails(why) : undefined);
    const { time, ids, accept, isEmpty, letters, sent, delivery, logged } = await startedLab(
      4000,
      8,
      {
        sink,
      },
    );

    // All of the other ordering keys.
    await time.until(() => sent.messages >= 3500);
    expect(sink.arrived.get('key-2')).not.toContain(poison);
    // What else goes on shows that the sink works.
    const more: string[] = [];
    while (!isEmpty()) {
      more.push(...(await accept(8, 8)));
      await time.pass(5000);
    }

    expect(letters).toMatchObject([{ from: 'pubsub', found: { id: poison } }]);
    expect(delivery.status()).toMatchObject({ setAside: 1, depth: 0 });
    expect(logged.messages.filter((text) => text === 'message became a dead letter')).toHaveLength(
      1,
    );
    expect(alertsIn(sink.arrived)).toEqual(
      idsByKey(
        [...ids, ...more].map((id) => (id === poison ? '' : id)),
        8,
      ).set(
        'key-2',
        [...ids, ...more].filter((id, n) => n % 8 === 2 && id !== poison),
      ),
    );
  });

  it('is found in every ordering key at once', async () => {
    const sink = fakeSink({ keys: 8, messages: 1 });
    const isPoison = (id: string) => Number(id.slice(1)) % 5 === 0;
    sink.behave = (sent) => (sent.some(({ id }) => isPoison(id)) ? fails('rejected') : undefined);
    const { time, ids, isEmpty, letters } = await startedLab(400, 8, { sink });

    await time.until(isEmpty);

    expect(letters).toHaveLength(80);
    expect([...alertsIn(sink.arrived).values()].flat().sort()).toEqual(
      ids.filter((id) => !isPoison(id)).sort(),
    );
  });

  it('is set aside only once, though the process dies meanwhile', async () => {
    const sink = fakeSink({ keys: 8, messages: 10 });
    sink.behave = (sent) => (sent.some(({ id }) => id === 'm3') ? fails('unavailable') : undefined);
    const { time, ids, letters, isEmpty, accept, begin, delivery } = await startedLab(80, 8, {
      sink,
    });
    await time.pass(3000);
    const stopping = delivery.stop();
    await time.pass(6000);
    await stopping;

    const next = begin();
    next.start();
    const more: string[] = [];
    while (!isEmpty()) {
      more.push(...(await accept(8, 8)));
      await time.pass(5000);
    }

    expect(letters).toMatchObject([{ found: { id: 'm3' } }]);
    expect(new Set([...alertsIn(sink.arrived).values()].flat())).toEqual(
      new Set([...ids, ...more].filter((id) => id !== 'm3')),
    );
  });
});

it('an ordering key that is blocked by no message of its own uses a share of the window, and gets all in order when it moves again', async () => {
  const sink = fakeSink({ keys: 8, messages: 10 });
  let isBlocked = true;
  sink.behave = (_, key) => (isBlocked && key === 'key-3' ? fails('quota') : undefined);
  const window = { messages: 40, bytes: 2 ** 20 };
  const { time, ids, accept, isEmpty, letters, sent, spool } = await startedLab(2000, 4, {
    sink,
    window,
  });

  await time.until(() => sent.messages === 1500);
  const more = await accept(400, 4);
  await time.until(() => sent.messages === 1800);
  expect(spool.cursor('pubsub')).toBe(4);
  isBlocked = false;
  await time.until(isEmpty);

  expect(letters).toEqual([]);
  expect(alertsIn(sink.arrived)).toEqual(idsByKey([...ids, ...more], 4));
});
