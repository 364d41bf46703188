/** Whatever a sink does, and whenever this process dies: nothing is missing, nothing is out of order. */

import { runs } from '@skolo/base/testing';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { steppedTime } from '../testing/stepped-time.ts';
import type { Delivery } from './delivery.ts';
import { createLab } from './testing/delivery-lab.ts';
import { fails, fakeSink, hangs } from './testing/fake-sink.ts';
import { MemorySpool, untilKilled } from './testing/memory-spool.ts';

const keys = 4;
const window = { messages: 30, bytes: 12_000 };

/** What one call of the sink does. */
const behaviour = fc.oneof(
  { weight: 6, arbitrary: fc.constant({ kind: 'take' as const }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('slow' as const), ms: fc.nat(30_000) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('fail' as const),
      reason: fc.constantFrom('unavailable', 'timeout', 'quota', 'permission', 'disk'),
      ms: fc.nat(2000),
      // So many of the batch arrive although the call fails.
      arrive: fc.nat(10),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'hang' as const }) },
);

/** What happens meanwhile. */
const event = fc.oneof(
  fc.record({ kind: fc.constant('accept' as const), many: fc.integer({ min: 1, max: 60 }) }),
  fc.record({ kind: fc.constant('pass' as const), ms: fc.nat(200_000) }),
  fc.record({ kind: fc.constant('stop' as const) }),
  fc.record({ kind: fc.constant('die' as const) }),
  fc.record({ kind: fc.constant('clock' as const), wall: fc.nat(2 ** 41) }),
);

const run = fc.record({
  behaviours: fc.array(behaviour, { maxLength: 80 }),
  events: fc.array(event, { maxLength: 25 }),
  // Every so many messages one is rejected.
  poison: fc.integer({ min: 5, max: 100 }),
  sinkKeys: fc.integer({ min: 1, max: 5 }),
  batch: fc.integer({ min: 1, max: 12 }),
  // Their number, or each alert by itself with the newest first.
  orderingKeys: fc.constantFrom(1, 2, 'newest first' as const),
});

it('the messages of each alert arrive in the order of the spool, and rejected ones are set aside', async () => {
  await fc.assert(
    fc.asyncProperty(run, async ({ behaviours, events, poison, sinkKeys, batch, orderingKeys }) => {
      const time = steppedTime();
      const disk = new MemorySpool();
      let lastPoison = Number.POSITIVE_INFINITY;
      const isPoison = (id: string) => {
        const n = Number(id.slice(1));
        return n % poison === poison - 1 && n < lastPoison;
      };
      const arrived = new Map<string, string[]>();
      const rejected = new Set<unknown>();
      const rest = [...behaviours];
      let durable: number | undefined;

      /** A process; what it does after its death has no effect. */
      function begin() {
        const life = { isOver: false };
        const sink = fakeSink({ keys: sinkKeys, messages: batch });
        const keyOf = sink.orderingKeyOf;
        if (orderingKeys === 'newest first') sink.groupOf = keyOf;
        else sink.orderingKeyOf = (message) => `${Number(keyOf(message).slice(4)) % orderingKeys}`;
        sink.arrive = (messages) => {
          if (life.isOver) return;
          for (const message of messages) {
            const key = keyOf(message);
            arrived.set(key, [...(arrived.get(key) ?? []), message.id]);
          }
        };
        sink.behave = async (messages, key, signal) => {
          const next = rest.shift() ?? { kind: 'take' };
          if (next.kind === 'slow') await time.pause(next.ms, signal);
          if (next.kind === 'hang') await hangs(signal);
          if (next.kind === 'fail') {
            await time.pause(next.ms, signal);
            const clean = messages.slice(0, next.arrive).filter(({ id }) => !isPoison(id));
            if (clean.length === Math.min(messages.length, next.arrive)) sink.arrive(clean, key);
            fails(next.reason);
          }
          if (messages.some(({ id }) => isPoison(id))) fails('rejected');
        };
        const made = createLab({
          sink,
          time,
          spool: disk,
          window,
          hasAccepted: arrived.size > 0,
          sendWithinMs: 60_000,
          deadLetters: {
            async add(letters) {
              if (!life.isOver) for (const { found } of letters) rejected.add(idOf(found));
            },
          },
          spoolAs: (spool) => untilKilled(spool, life),
        });
        made.delivery.start();
        return { ...made, life };
      }

      async function end(delivery: Delivery) {
        const stopping = delivery.stop(1000);
        await time.pass(10_000);
        await stopping;
      }

      let process = begin();
      for (const happens of [...events, { kind: 'accept' as const, many: 5 }]) {
        if (happens.kind === 'accept') {
          await process.accept(happens.many, keys);
          durable = disk.cursor('pubsub');
        } else if (happens.kind === 'pass') await time.pass(happens.ms);
        else if (happens.kind === 'clock') time.clock.setWall(happens.wall);
        else if (happens.kind === 'stop') {
          await end(process.delivery);
          durable = disk.cursor('pubsub');
          process = begin();
        } else {
          await time.settle();
          process.life.isOver = true;
          await end(process.delivery);
          if (durable === undefined) disk.places.clear();
          else disk.setCursor('pubsub', durable);
          process = begin();
        }
      }
      // What else goes on shows that the sink works.
      lastPoison = disk.next;
      for (let look = 0; look < 1000 && disk.cursor('pubsub') !== disk.next; look += 1) {
        await process.accept(keys, keys);
        await time.pass(20_000);
      }
      expect(disk.cursor('pubsub')).toBe(disk.next);
      await end(process.delivery);

      const spooled = disk.records.map(({ text }) => JSON.parse(text));
      for (let key = 0; key < keys; key += 1) {
        const expected = spooled
          .filter(
            ({ kind, alert, id }) =>
              kind === 'transition' && alert.labels.key === `key-${key}` && !rejected.has(id),
          )
          .map(({ id }) => id);
        const got = (arrived.get(`key-${key}`) ?? []).filter(
          (id) => id.startsWith('m') && !rejected.has(id),
        );
        expect([...new Set(got)]).toEqual(expected);
      }
      const ids = spooled.filter(({ kind }) => kind === 'transition').map(({ id }) => id);
      expect([...rejected].toSorted()).toEqual(ids.filter(isPoison).toSorted());
    }),
    runs(60),
  );
});

function idOf(found: unknown): unknown {
  return found !== null && typeof found === 'object' && 'id' in found ? found.id : found;
}
