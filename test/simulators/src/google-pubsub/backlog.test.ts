import { runs } from '@skolo/base/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Backlog, type Item } from './backlog.ts';

type Step =
  | { do: 'add'; key: string }
  | { do: 'take'; by: object }
  | { do: 'ack' | 'giveBack'; which: number };

const one = {};
const other = {};

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant('add'), key: fc.constantFrom('', 'a', 'b') }),
  fc.record({ do: fc.constant('take'), by: fc.constantFrom(one, other) }),
  fc.record({ do: fc.constantFrom('ack', 'giveBack'), which: fc.nat() }),
);

function messageOf(id: number, orderingKey: string) {
  const publishTime = new Date(0);
  return { data: Buffer.alloc(0), attributes: {}, orderingKey, messageId: `${id}`, publishTime };
}

/** Keeps its own books of what is out, and does the steps. */
function play(backlog: Backlog, steps: readonly Step[]) {
  const out: Item[] = [];
  const owners = new Map<Item, object>();
  let added = 0;
  for (const next of steps) {
    if (next.do === 'add') backlog.add(messageOf(added++, next.key));
    else if (next.do === 'take') {
      const item = backlog.take(next.by);
      if (!item) continue;
      out.push(item);
      owners.set(item, next.by);
    } else {
      const [item] = out.splice(next.which % out.length, 1);
      if (!item) continue;
      if (next.do === 'ack') backlog.acknowledge(item);
      else {
        const [first, ...others] = backlog.giveBack(item);
        expect(first).toBe(item);
        for (const other of others) out.splice(out.indexOf(other), 1);
      }
    }
  }
  return { out, owners, added };
}

describe('backlog', () => {
  it('gives every message in the end, those of a key in their order', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const backlog = new Backlog({ isOrdered: true });
        const { out } = play(backlog, steps);
        for (const item of [...out].reverse()) backlog.giveBack(item);

        const waiting = backlog.waiting;
        const seen: Record<string, number[]> = {};
        for (let item = backlog.take(one); item; item = backlog.take(one)) {
          const { orderingKey, messageId } = item.message;
          seen[orderingKey] = [...(seen[orderingKey] ?? []), Number(messageId)];
          backlog.acknowledge(item);
        }

        expect(backlog.waiting).toBe(0);
        expect(Object.values(seen).flat()).toHaveLength(waiting);
        for (const key of ['a', 'b']) {
          expect(seen[key] ?? []).toEqual((seen[key] ?? []).toSorted((a, b) => a - b));
        }
      }),
      runs(500),
    );
  });

  it('has a key out with one consumer, and skips none', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const backlog = new Backlog({ isOrdered: true });

        const { out, owners } = play(backlog, steps);

        for (const key of ['a', 'b']) {
          const items = out.filter(({ message }) => message.orderingKey === key);
          const ids = items.map(idOf);
          expect(ids).toEqual(ids.toSorted((a, b) => a - b));
          expect(new Set(items.map((item) => owners.get(item))).size).toBeLessThanOrEqual(1);
        }
      }),
      runs(500),
    );
  });

  it('loses none without ordering', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const backlog = new Backlog({ isOrdered: false });

        const { out, added } = play(backlog, steps);

        const acked = steps.filter((next) => next.do === 'ack').length;
        expect(backlog.waiting + out.length).toBeGreaterThanOrEqual(added - acked);
        expect(backlog.waiting + out.length).toBeLessThanOrEqual(added);
      }),
      runs(500),
    );
  });
});

function idOf({ message }: Item): number {
  return Number(message.messageId);
}
