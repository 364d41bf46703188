import { runs } from '@skolo/base/testing';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Heap } from './heap.ts';

interface Item {
  key: number | undefined;
}

const step = fc.oneof(
  fc.record({ kind: fc.constant('push' as const), key: fc.integer({ min: -9, max: 99 }) }),
  fc.record({ kind: fc.constant('change' as const), index: fc.nat(), key: fc.nat(99) }),
  fc.record({ kind: fc.constant('remove' as const), index: fc.nat() }),
  fc.record({ kind: fc.constant('pop' as const) }),
);

it('gives the items in the order of their keys, whatever keys change meanwhile', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
      const heap = new Heap<Item>(({ key }) => key);
      const items = new Set<Item>();
      const at = (index: number) => [...items][index % items.size];
      function take(): void {
        const item = heap.pop();
        const keys = [...items].map(({ key = 0 }) => key);
        expect(item?.key).toBe(items.size === 0 ? undefined : Math.min(...keys));
        if (item === undefined) return;
        items.delete(item);
        item.key = undefined;
      }

      for (const each of steps) {
        if (each.kind === 'pop') take();
        else if (each.kind === 'push') {
          const item = { key: each.key };
          items.add(item);
          heap.push(item);
        } else {
          const item = at(each.index);
          if (item === undefined) continue;
          item.key = each.kind === 'change' ? each.key : undefined;
          if (each.kind === 'change') heap.push(item);
          else items.delete(item);
        }
      }
      while (items.size > 0) take();

      expect(heap.peek()).toBeUndefined();
    }),
    runs(500),
  );
});
