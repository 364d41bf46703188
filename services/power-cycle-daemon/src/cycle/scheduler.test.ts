import { runs } from '@skolo/base/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CycleRecord } from '../state/records.ts';
import { cycleRecord } from '../testing/records.ts';
import { admitted as admittedOf, positions, type TurnLimits } from './scheduler.ts';

const limits = { atOncePerController: 2, atOnce: 3 };
const up = () => false;

function admitted(
  waiting: readonly CycleRecord[],
  running: readonly CycleRecord[],
  most: TurnLimits,
  isDown: (controller: string) => boolean,
  mostOff: (controller: string) => number = () => Number.POSITIVE_INFINITY,
): CycleRecord[] {
  return admittedOf(waiting, running, most, isDown, mostOff);
}

/** `A`: on controller A; `AB`: one feed on each. In the order of their numbers. */
function cycles(on: readonly string[], from = 1): CycleRecord[] {
  return on.map((controllers, index) =>
    cycleRecord({
      id: `${from + index}`,
      number: from + index,
      // A request of its own.
      batch: from + index,
      feeds: [...controllers].map((controller) => ({ controller, outlet: `${index}` })),
    }),
  );
}

function names(records: readonly CycleRecord[]): string[] {
  return records.map(({ id }) => id);
}

describe('turns', () => {
  it('are given in the order in which they were asked for', () => {
    const waiting = cycles(['A', 'A', 'A', 'B', 'B', 'C']).reverse();

    expect(names(admitted(waiting, [], limits, up))).toEqual(['1', '2', '4']);
  });

  it('go first to the controllers that take longest, among those of one request', () => {
    const one = cycles(['A', 'B', 'B', 'B', 'B', 'C', 'C', 'C']).map((record) => ({
      ...record,
      batch: 1,
    }));
    const later = cycles(['D', 'D', 'D', 'D'], 9).map((record) => ({ ...record, batch: 9 }));

    const turns = admitted([...later, ...one], [], { ...limits, atOnce: 5 }, up);

    expect(names(turns)).toEqual(['2', '3', '6', '7', '1']);
  });

  it('go first to the longest off time, where its controller has less to do in all', () => {
    const waiting = cycles(['A', 'A', 'B']).map((record, index) => ({
      ...record,
      batch: 1,
      offSeconds: [5, 5, 9][index] ?? 0,
    }));

    expect(names(admitted(waiting, [], { ...limits, atOnce: 1 }, up))).toEqual(['3']);
  });

  it('count those that run', () => {
    const running = cycles(['A', 'A'], 100);

    expect(names(admitted(cycles(['A', 'B', 'B']), running, limits, up))).toEqual(['2']);
  });

  it('need a place on each controller of several feeds', () => {
    const running = cycles(['A', 'A'], 100);

    expect(names(admitted(cycles(['AB', 'B']), running, limits, up))).toEqual(['2']);
  });

  it('are fewer where a controller has not shown that it turns outlets on; turning on waits for none of that', () => {
    const [on] = cycles(['A'], 7).map((record) => ({ ...record, action: 'on' as const }));
    const waiting = [...cycles(['A', 'A', 'B', 'B']), ...(on ? [on] : [])];
    const of = (most: number) =>
      names(
        admitted(waiting, [], { ...limits, atOnce: 9 }, up, (name) => (name === 'A' ? most : 9)),
      );

    expect(of(1)).toEqual(['1', '3', '4', '7']);
    expect(of(0)).toEqual(['3', '4', '7']);
  });

  it('count two feeds on one controller once', () => {
    expect(names(admitted(cycles(['AA', 'AA', 'AA']), [], limits, up))).toEqual(['1', '2']);
  });

  it('do not count in the rack who is stuck on a controller that is down', () => {
    const running = cycles(['X', 'X', 'X', 'X'], 100);

    const turns = admitted(cycles(['A', 'B', 'C']), running, limits, (name) => name === 'X');

    expect(names(turns)).toEqual(['1', '2', '3']);
  });

  it('are empty where no cycle waits', () => {
    expect(admitted([], cycles(['A']), limits, up)).toEqual([]);
  });
});

const where = fc.constantFrom('A', 'B', 'C', 'AB', 'BC', 'ABC');
const crowd = fc.record({
  waiting: fc.array(where, { maxLength: 30 }),
  running: fc.array(where, { maxLength: 10 }),
  limits: fc.record({
    atOncePerController: fc.integer({ min: 1, max: 5 }),
    atOnce: fc.integer({ min: 1, max: 8 }),
  }),
  down: fc.subarray(['A', 'B', 'C']),
});

function on(records: readonly CycleRecord[], controller: string): CycleRecord[] {
  return records.filter(({ feeds }) => feeds.some((feed) => feed.controller === controller));
}

describe('a cycle that waits', () => {
  it('never gets a turn beyond a limit', () => {
    fc.assert(
      fc.property(crowd, ({ waiting, running, limits, down }) => {
        const before = cycles(running, 1000);
        const isDown = (name: string) => down.some((each) => each === name);
        const chosen = admitted(cycles(waiting), before, limits, isDown);

        for (const name of ['A', 'B', 'C']) {
          const most = Math.max(limits.atOncePerController, on(before, name).length);
          expect(on([...before, ...chosen], name).length).toBeLessThanOrEqual(most);
        }
        const counted = before.filter(
          ({ feeds }) => !feeds.some((feed) => isDown(feed.controller)),
        );
        const most = Math.max(limits.atOnce, counted.length);
        expect(counted.length + chosen.length).toBeLessThanOrEqual(most);
      }),
      runs(500),
    );
  });

  it('is not delayed by a later request', () => {
    fc.assert(
      fc.property(crowd, fc.nat(30), ({ waiting, running, limits }, first) => {
        const all = cycles(waiting);
        const early = all.slice(0, first);
        const chosen = admitted(all, cycles(running, 1000), limits, up);

        expect(chosen.filter((record) => early.includes(record))).toEqual(
          admitted(early, cycles(running, 1000), limits, up),
        );
      }),
      runs(500),
    );
  });

  it('gets a turn although its two controllers are never free together by themselves', () => {
    const limits = { atOncePerController: 1, atOnce: 20 };
    let waiting = cycles(['AB', ...Array.from({ length: 20 }, (_, i) => (i % 2 ? 'A' : 'B'))]);
    // Each takes two turns of time; those of A end at even ones, those of B at odd ones.
    let running = [
      { record: cycles(['A'], 100)[0], left: 1 },
      { record: cycles(['B'], 101)[0], left: 2 },
    ];
    const order: string[] = [];
    for (let time = 0; time < 10; time += 1) {
      running = running
        .map(({ record, left }) => ({ record, left: left - 1 }))
        .filter(({ left }) => left > 0);
      const busy = running.flatMap(({ record }) => record ?? []);
      const turns = admitted(waiting, busy, limits, up);
      waiting = waiting.filter((record) => !turns.includes(record));
      running.push(...turns.map((record) => ({ record, left: 2 })));
      order.push(...names(turns));
    }

    expect(order[0]).toBe('1');
  });

  it('does not take more than one place of a controller for those that wait for another', () => {
    const limits = { atOncePerController: 3, atOnce: 20 };
    const running = cycles(['A', 'A', 'A'], 100);

    const turns = admitted(cycles(['AB', 'AB', 'AB', 'AB', 'B', 'B', 'B']), running, limits, up);

    expect(names(turns)).toEqual(['5', '6']);
  });
});

describe('positions', () => {
  it('are behind how many others on the fullest controller', () => {
    const waiting = cycles(['A', 'B', 'A', 'AB', 'B']);

    expect([...positions(waiting.toReversed())]).toEqual([
      ['1', 0],
      ['2', 0],
      ['3', 1],
      ['4', 2],
      ['5', 2],
    ]);
  });

  it('are first where no outlet feeds it', () => {
    expect([...positions([cycleRecord({ feeds: [] })])]).toEqual([['cycle-1', 0]]);
  });
});
