/** With the spool as it is on the disk. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@skolo/common';
import { Spool } from '@skolo/durable';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Delivery } from './delivery.ts';
import { alert } from './testing/delivery-lab.ts';
import { type FakeSink, fails, fakeSink } from './testing/fake-sink.ts';

const keys = 8;
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skolo-deliver-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

function deliver(spool: Spool, sink: FakeSink): Delivery {
  const delivery = new Delivery({
    spool,
    sink,
    deadLetters: { add: async () => undefined },
    intake: {
      get next() {
        return spool.next;
      },
      refreshOf: () => undefined,
      notify: async () => undefined,
    },
    clock: systemClock,
    emit: () => undefined,
    backOff: { firstMs: 1, maxMs: 5 },
  });
  delivery.start();
  return delivery;
}

async function accept(spool: Spool, from: number, to: number): Promise<void> {
  const texts = Array.from({ length: to - from }, (_, index) => {
    const number = from + index;
    return JSON.stringify(alert(`m${number}`, `key-${number % keys}`, Date.now()));
  });
  await spool.append(texts);
}

/** What an ordering key should have got. */
function expected(key: number, many: number): string[] {
  const ids = Array.from({ length: many }, (_, number) => `m${number}`);
  return ids.filter((_, number) => number % keys === key);
}

describe('a delivery over the spool on the disk', () => {
  it('continues at its place after a restart, though the sink fails every third time', async () => {
    const sink = fakeSink({ keys, messages: 100 });
    let calls = 0;
    sink.behave = (messages, key) => {
      calls += 1;
      if (calls % 3 === 0) fails('unavailable');
      if (calls % 7 !== 0) return;
      sink.arrive(messages, key);
      fails('timeout');
    };
    const options = { segmentBytes: 256 * 1024 };

    const first = await Spool.open(folder, options);
    const before = deliver(first, sink);
    for (let from = 0; from < 4000; from += 500) await accept(first, from, from + 500);
    await expect.poll(() => first.cursor(sink.name)).toBeGreaterThan(1000);
    await before.stop();
    const place = first.cursor(sink.name) ?? 0;
    await first.trim(place);
    await first.close();
    const second = await Spool.open(folder, options);
    expect(second.cursor(sink.name)).toBe(place);
    const after = deliver(second, sink);
    await accept(second, 4000, 6000);
    await expect.poll(() => second.cursor(sink.name)).toBe(6001);
    await after.stop();
    await second.close();

    for (let key = 0; key < keys; key += 1) {
      expect([...new Set(sink.arrived.get(`key-${key}`))]).toEqual(expected(key, 6000));
    }
  });

  it('follows as the spool grows, each sink at its own pace', async () => {
    const spool = await Spool.open(folder);
    const quick = fakeSink({ name: 'quick', keys, messages: 100 });
    const away = fakeSink({ name: 'away', keys, messages: 100 });
    away.behave = () => fails('unavailable');

    const deliveries = [deliver(spool, quick), deliver(spool, away)];
    for (let number = 0; number < 200; number += 1) await accept(spool, number, number + 1);
    await expect.poll(() => spool.cursor('quick')).toBe(201);

    expect(spool.cursor('away')).toBe(1);
    expect(deliveries.map((delivery) => delivery.status().depth)).toEqual([0, 200]);
    await Promise.all(deliveries.map((delivery) => delivery.stop()));
    await spool.close();
  });
});
