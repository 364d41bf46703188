/** Whose turn it is. */
import { runs } from '@skolo/base/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Backlog, type BacklogBounds, type Turn } from './backlog.ts';
import type { Waiting } from './queue.ts';
import { alert } from './testing/delivery-lab.ts';
import { fakeSink } from './testing/fake-sink.ts';

const usual = { messages: 1000, bytes: 2 ** 20 };

/** With the spool from which it reads again what it had no room for. `take` gives the IDs. */
function backlogOf(isNewestFirst: boolean, bounds: BacklogBounds = usual, messages = 1) {
  const sink = fakeSink({ keys: 4, messages });
  if (isNewestFirst) {
    sink.groupOf = (message) =>
      message.kind === 'notice' || message.kind === 'heartbeat'
        ? message.kind
        : (message.alert.labels.alertname ?? '');
  } else sink.orderingKeyOf = () => 'the same';
  const backlog = new Backlog(1, bounds, sink);
  const spool: Waiting[] = [];

  function take(mayRepeat = true, isTrial = false): Turn | undefined {
    for (;;) {
      for (const queue of backlog.wanted) {
        const waiting = spool[(queue.left.seqs[0] ?? 0) - 1];
        if (waiting !== undefined) backlog.load(waiting);
      }
      const turn = backlog.nextTurn(mayRepeat, isTrial);
      if (turn !== undefined || backlog.wanted.size === 0) return turn;
    }
  }

  return {
    backlog,
    take,
    /** An alert changes. */
    add(alertname: string, key: string): number {
      const seq = backlog.next;
      const made = alert(`${seq}`, key, 0);
      made.alert.labels.alertname = alertname;
      const waiting = { seq, message: made, bytes: 100, since: seq };
      spool.push(waiting);
      backlog.next += 1;
      backlog.add(waiting);
      return seq;
    },
    /** Takes and sends everything. */
    drain(): number[] {
      const seqs: number[] = [];
      for (let turn = take(); turn !== undefined; turn = take()) {
        seqs.push(...turn.batch.map(({ seq }) => seq));
        backlog.end(turn, 'arrived');
      }
      return seqs;
    },
  };
}

const seqsOf = (turn: Turn | undefined) => turn?.batch.map(({ seq }) => seq);

describe('turns by alert name', () => {
  it('are given round robin, newest first', () => {
    const { add, drain } = backlogOf(true);
    for (let machine = 1; machine <= 6; machine += 1) add('Hot', `hot ${machine}`);
    add('Down', 'down 7');
    add('Full', 'full 8');
    add('Down', 'down 9');

    expect(drain()).toEqual([8, 9, 6, 7, 5, 4, 3, 2, 1]);
  });

  it('are one of many for a rule that fires for 300 machines', () => {
    const { add, take, backlog } = backlogOf(true);
    const names = Array.from({ length: 40 }, (_, n) => `Rule${n}`);
    for (const name of names) for (let n = 0; n < 300; n += 1) add(name, `${name} ${n}`);
    for (let n = 0; n < 300; n += 1) add('Storm', `storm ${n}`);
    // In the middle of a round.
    for (let n = 0; n < 20; n += 1) {
      const turn = take();
      if (turn !== undefined) backlog.end(turn, 'arrived');
    }
    const page = add('Page', 'page');
    const late = add('Storm', 'storm 300');

    expect(seqsOf(take())).toEqual([page]);
    const taken = Array.from({ length: 44 }, () => seqsOf(take())?.[0]);
    expect(taken).toContain(late);
  });

  it('are given to what was rejected after all first attempts', () => {
    const { add, take, backlog } = backlogOf(true);
    const rejected = add('A', 'a');
    const turn = take();
    if (turn === undefined) throw new Error('nothing');
    turn.queues[0].rejections = 1;
    backlog.end(turn, 'resting');
    for (let n = 0; n < 5; n += 1) add('B', `b ${n}`);
    expect(seqsOf(take())).toEqual([6]);

    backlog.resume(turn.queues[0]);
    const others = Array.from({ length: 4 }, () => seqsOf(take())?.[0]);

    expect(others).toEqual([5, 4, 3, 2]);
    expect(take(false)).toBeUndefined();
    expect(seqsOf(take())).toEqual([rejected]);
  });

  it('are every third time given to what failed with the sink, but not for trials', () => {
    const { add, take, backlog } = backlogOf(true);
    add('A', 'a');
    const turn = take();
    if (turn === undefined) throw new Error('nothing');
    turn.queues[0].hasFailed = true;
    backlog.end(turn, 'failed');
    for (let n = 0; n < 9; n += 1) add('B', `b ${n}`);

    expect([take(true, true), take(true, true), take(true, true)].map(seqsOf)).toEqual([
      [10],
      [9],
      [8],
    ]);
    expect([take(), take(), take()].map(seqsOf)).toContainEqual([1]);
  });
});

it.each([
  ['alert name', true],
  ['ordering key', false],
])('turns by %s begin with the alert that reports that alerts are rejected', (_, isNewestFirst) => {
  const { add, take, backlog } = backlogOf(isNewestFirst);
  for (let n = 0; n < 100; n += 1) add(`Rule${n % 7}`, `alert ${n}`);
  const first = take();
  if (first !== undefined) backlog.end(first, 'arrived');
  add('Page', 'page');
  const urgent = add('AlertsRejected', 'pager');
  add('Page', 'another page');

  expect(seqsOf(take())).toEqual([urgent]);
});

describe('whatever happens', () => {
  const event = fc.oneof(
    { weight: 3, arbitrary: fc.record({ add: fc.nat(4), alert: fc.nat(9) }) },
    { weight: 3, arbitrary: fc.constantFrom('take', 'trial') },
    {
      weight: 3,
      arbitrary: fc.record({ end: fc.constantFrom('arrived', 'failed', 'resting'), n: fc.nat(9) }),
    },
    { weight: 1, arbitrary: fc.constant('resume') },
  );
  const lab = fc.record({
    isNewestFirst: fc.boolean(),
    window: fc.integer({ min: 1, max: 12 }),
    messages: fc.integer({ min: 1, max: 3 }),
  });

  it('each message arrives once, those of an alert in order', () => {
    fc.assert(
      fc.property(lab, fc.array(event, { maxLength: 300 }), (options, events) => {
        const { isNewestFirst, window, messages } = options;
        const bounds = { messages: window, bytes: 2 ** 20 };
        const made = backlogOf(isNewestFirst, bounds, isNewestFirst ? 1 : messages);
        const { backlog } = made;
        const [running, resting, arrived] = [new Set<Turn>(), new Set<Turn>(), [] as string[]];
        const added: string[] = [];
        const arrive = (turn: Turn) => {
          running.delete(turn);
          arrived.push(...turn.batch.map(({ message }) => `${keyOf(message)} ${message.id}`));
          backlog.end(turn, 'arrived');
        };

        for (const each of events) {
          if (each === 'take' || each === 'trial') {
            const turn = running.size < 4 ? made.take(true, each === 'trial') : undefined;
            if (turn !== undefined) running.add(turn);
          } else if (each === 'resume') {
            for (const { queues } of resting) backlog.resume(queues[0]);
            resting.clear();
          } else if ('add' in each) {
            const name = each.alert === 0 ? 'AlertsRejected' : `Rule${each.add}`;
            added.push(`alert ${each.alert} ${made.add(name, `alert ${each.alert}`)}`);
          } else {
            const turn = [...running][each.n % Math.max(1, running.size)];
            if (turn === undefined) continue;
            if (each.end === 'arrived') arrive(turn);
            else {
              running.delete(turn);
              const isResting = each.end === 'resting' && turn.batch.length === 1;
              turn.queues[0].rejections += isResting ? 1 : 0;
              for (const queue of turn.queues) queue.hasFailed ||= !isResting;
              backlog.end(turn, isResting ? 'resting' : 'failed');
              if (isResting) resting.add(turn);
            }
          }
          expect(backlog.depth(backlog.next)).toBe(added.length - arrived.length);
          const waiting = added.filter((one) => !arrived.includes(one)).map(seqIn);
          expect(backlog.lowest).toBe(Math.min(backlog.next, ...waiting));
        }
        for (const turn of [...running]) arrive(turn);
        for (const { queues } of resting) backlog.resume(queues[0]);
        for (let turn = made.take(); turn !== undefined; turn = made.take()) arrive(turn);

        expect(arrived.toSorted()).toEqual(added.toSorted());
        for (const key of new Set(added.map((one) => one.slice(0, 7)))) {
          const of = (all: string[]) => all.filter((one) => one.startsWith(key));
          expect(of(arrived)).toEqual(of(added));
        }
      }),
      runs(300),
    );
  });

  it('the message that has waited longest is sent soon, however many newer ones come', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(5), { minLength: 40, maxLength: 200 }),
        fc.boolean(),
        (names, isNew) => {
          const { add, take, backlog } = backlogOf(true, { messages: 8, bytes: 2 ** 20 });
          for (let n = 0; n < 20; n += 1) add('Rule0', `alert ${n}`);
          let [oldest, since] = [1, 0];
          names.forEach((name, n) => {
            add(isNew ? `Rule${n}` : `Rule${name}`, `alert ${20 + n}`);
            const turn = take();
            if (turn !== undefined) backlog.end(turn, 'arrived');
            if (backlog.lowest > oldest) [oldest, since] = [backlog.lowest, n];
            expect(n - since).toBeLessThanOrEqual(32);
          });
        },
      ),
      runs(100),
    );
  });
});

function keyOf(message: Waiting['message']): string | undefined {
  return message.kind === 'notice' ? undefined : message.alert.labels.key;
}

function seqIn(text: string): number {
  return Number(text.split(' ').at(-1));
}
