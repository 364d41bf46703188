import { describe, expect, it } from 'vitest';
import type { PendingOn } from '../state/records.ts';
import { Store } from '../state/store.ts';
import { Boards } from '../testing/board-driver.ts';
import { waitUntil } from '../testing/wait-until.ts';
import { PendingOns, type PendingOnsDeps } from './pending-ons.ts';

const at = '2026-11-20T12:00:00.000Z';
const patience = { firstMs: 1, mostMs: 2, withinMs: 10 };

function pending(controller: string, outlet: string, mode?: string): PendingOn {
  return { controller, outlet, since: at, cycle: 'cycle-1', ...(mode !== undefined && { mode }) };
}

/** The pending ons of boards whose outlets are all off; in memory, since the disk has no say here. */
async function withPendingOns(records: readonly PendingOn[], own: Partial<PendingOnsDeps> = {}) {
  const boards = new Boards();
  const names = [...new Set(records.map(({ controller }) => controller))];
  const controllers = new Map(names.map((name) => [name, boards.controller(name)]));
  for (const { controller, outlet } of records) boards.get(controller).outlets.set(outlet, false);
  const store = new Store({
    journal: () => undefined,
    onTrouble: () => undefined,
    onWell: () => undefined,
  });
  await store.writeLater(records.map((each) => store.pendingOns.put(each)));
  const stopping = new AbortController();
  const events: string[] = [];
  const pendingOns = new PendingOns({
    store,
    controllers,
    staggerSeconds: () => 0,
    clock: { now: () => Date.now() },
    timing: { patience, backOff: { firstMs: 5, maxMs: 20 } },
    emit(event) {
      if (event.type === 'stuck-off') events.push(`stuck ${event.pendingOn.outlet}: ${event.why}`);
      if (event.type !== 'pending-on-ended') return;
      events.push(`ended ${event.pendingOn.outlet}${event.wasStuck ? ', was stuck' : ''}`);
    },
    signal: stopping.signal,
    ...own,
  });
  async function stop() {
    stopping.abort(new Error('the daemon stops'));
    await pendingOns.close();
  }
  const stuck = () =>
    [...store.pendingOns.all].flatMap(([key, pendingOn]) =>
      pendingOn.stuck === undefined ? [] : [key],
    );
  return { boards, controllers, store, pendingOns, events, stop, stuck };
}

describe('pending ons', () => {
  it('turn on what is pending, as it was, and forget it once it was seen on', async () => {
    const pendingOn = pending('pdu-1', '3', 'forced-on');
    const { boards, store, pendingOns, events } = await withPendingOns([pendingOn]);

    const turnedOn = await pendingOns.turnOn(pendingOn);

    expect(turnedOn).toEqual({ is: 'on', text: 'pdu-1/3 is reported as on' });
    expect(boards.get('pdu-1').told).toEqual(['on 3 forced-on']);
    expect(store.pendingOns.all.size).toBe(0);
    expect(events).toEqual(['ended 3']);
  });

  it('leave alone what is on already', async () => {
    const pendingOn = pending('pdu-1', '3');
    const { boards, store, pendingOns } = await withPendingOns([pendingOn]);
    boards.get('pdu-1').outlets.set('3', true);

    expect(await pendingOns.turnOn(pendingOn)).toMatchObject({ is: 'on' });
    expect(boards.get('pdu-1').told).toEqual([]);
    expect(store.pendingOns.all.size).toBe(0);
  });

  it('verify what is on already: the caller wants it on', async () => {
    const { boards, pendingOns, store } = await withPendingOns([pending('pdu-1', '3')]);
    await store.writeLater([store.pendingOns.remove('pdu-1/3')]);

    const turnedOn = await pendingOns.turnOn(pending('pdu-1', '3'));

    expect(turnedOn).toEqual({ is: 'on', text: 'pdu-1/3 is reported as on' });
    expect(boards.get('pdu-1').outlets.isOn('3')).toBe(true);
  });

  it('turn on an outlet once, however many request it', async () => {
    const pendingOn = pending('pdu-1', '3');
    const { boards, pendingOns } = await withPendingOns([pendingOn]);

    const turnedOn = await Promise.all([1, 2, 3].map(() => pendingOns.turnOn(pendingOn)));

    expect(turnedOn.map(({ is }) => is)).toEqual(['on', 'on', 'on']);
    expect(boards.get('pdu-1').told).toEqual(['on 3 usual']);
  });

  it('answer a request that comes in the moment in which it finishes', async () => {
    const pendingOn = pending('pdu-1', '3');
    const answers: Promise<unknown>[] = [];
    async function askAfter(microtasks: number) {
      for (let past = 0; past < microtasks; past += 1) await undefined;
      return pendingOns.turnOn(pendingOn);
    }
    const { pendingOns } = await withPendingOns([pendingOn], {
      emit({ type }) {
        if (type !== 'pending-on-ended' || answers.length > 0) return;
        answers.push(...Array.from({ length: 12 }, (_, microtasks) => askAfter(microtasks)));
      },
    });

    await pendingOns.turnOn(pendingOn);

    for (const answer of answers) expect(await answer).toMatchObject({ is: 'on' });
  });

  it('report that an outlet is stuck, continue for ever, and report when it is on at last', async () => {
    const pendingOn = pending('pdu-1', '3');
    const { boards, store, pendingOns, events, stuck } = await withPendingOns([pendingOn]);
    const board = boards.get('pdu-1');
    board.isDown = true;

    const turnedOn = await pendingOns.turnOn(pendingOn);
    const wasStuck = stuck();
    board.isDown = false;
    await waitUntil(() => (store.pendingOns.all.size === 0 ? true : undefined));

    expect(turnedOn.is).toBe('stuck');
    expect(turnedOn.text).toContain(
      'pdu-1/3 could not be verified as on: pdu-1: connection refused',
    );
    expect(wasStuck).toEqual(['pdu-1/3']);
    expect(stuck().length).toBe(0);
    expect(board.outlets.isOn('3')).toBe(true);
    expect(events).toEqual([expect.stringContaining('stuck 3'), 'ended 3, was stuck']);
  });

  it('try at once when a request needs what is stuck, and report the result', async () => {
    const pendingOn = pending('pdu-1', '3');
    const { boards, pendingOns, stuck } = await withPendingOns([pendingOn], {
      timing: { patience, backOff: { firstMs: 3_600_000, maxMs: 3_600_000 } },
    });
    const board = boards.get('pdu-1');
    board.ignores = 'on';
    const first = pendingOns.turnOn(pendingOn);
    await waitUntil(() => {
      if (stuck().length > 0) return true;
      void pendingOns.turnOn(pendingOn);
      return undefined;
    });

    board.ignores = undefined;
    const again = await pendingOns.turnOn(pendingOn);

    expect([(await first).is, again.is]).toEqual(['stuck', 'on']);
    expect(stuck().length).toBe(0);
  });

  it('report to whom asks during an attempt the result of the next one', async () => {
    const pendingOn = pending('pdu-1', '3');
    const { boards, pendingOns } = await withPendingOns([pendingOn], {
      timing: { patience, backOff: { firstMs: 0, maxMs: 3_600_000 } },
    });
    const board = boards.get('pdu-1');
    board.ignores = 'on';
    await pendingOns.turnOn(pendingOn);
    void pendingOns.turnOn(pendingOn);
    const before = board.told.length;
    await waitUntil(() => (board.told.length > before ? true : undefined));

    board.ignores = undefined;

    expect((await pendingOns.turnOn(pendingOn)).is).toBe('on');
  });

  it('continue where a driver cannot even be made', async () => {
    const pendingOn = pending('pdu-1', '3');
    const { pendingOns, stop } = await withPendingOns([pendingOn], {
      controllers: {
        get: () => {
          throw new TypeError('no such option');
        },
      },
    });

    const turnedOn = await pendingOns.turnOn(pendingOn);
    await stop();

    expect(turnedOn.text).toContain('no such option');
  });

  it('of the last process turn on one after another on a controller, and all controllers at once', async () => {
    const outlets = ['1', '2', '3'];
    const records = ['pdu-1', 'pdu-2'].flatMap((pdu) =>
      outlets.map((outlet) => pending(pdu, outlet)),
    );
    let pauses = 0;
    const { boards, store, pendingOns } = await withPendingOns(records, {
      staggerSeconds() {
        pauses += 1;
        return 0.03;
      },
    });
    const order: string[] = [];
    for (const name of ['pdu-1', 'pdu-2']) {
      boards.get(name).outlets.on('change', ({ outlet }) => void order.push(outlet));
    }

    pendingOns.resume();
    await waitUntil(() => (store.pendingOns.all.size === 0 ? true : undefined));

    expect(order).toEqual(['1', '1', '2', '2', '3', '3']);
    expect(pauses).toBe(4);
  });

  it('keep the order of an old one that a cycle waits for', async () => {
    const records = [pending('pdu-1', '1'), pending('pdu-1', '2')];
    const { boards, pendingOns } = await withPendingOns(records);
    const order: string[] = [];
    boards.get('pdu-1').outlets.on('change', ({ outlet }) => void order.push(outlet));

    pendingOns.resume();
    await pendingOns.turnOn(pending('pdu-1', '2'));

    expect(order).toEqual(['1', '2']);
  });

  it('let one dead outlet hold up the next only until it is stuck', async () => {
    const records = [pending('pdu-1', '1'), pending('pdu-1', '2')];
    const { boards, pendingOns, store, stop, stuck } = await withPendingOns(records);
    const { outlets } = boards.get('pdu-1');
    outlets.on('change', ({ outlet, on }) => {
      if (outlet === '1' && on) outlets.set('1', false);
    });

    pendingOns.resume();
    await waitUntil(() => (store.pendingOns.get('pdu-1/2') === undefined ? true : undefined));
    await stop();

    expect([...store.pendingOns.all.keys()]).toEqual(['pdu-1/1']);
    expect(stuck()).toEqual(['pdu-1/1']);
  });

  it('stop when the daemon stops, and keep what is pending', async () => {
    const pendingOn = pending('pdu-1', '3');
    const { boards, store, pendingOns, stop, stuck } = await withPendingOns([pendingOn], {
      timing: { patience, backOff: { firstMs: 3_600_000, maxMs: 3_600_000 } },
    });
    boards.get('pdu-1').isDown = true;
    const waiting = pendingOns.turnOn(pendingOn);
    await waitUntil(() => (boards.get('pdu-1').atOnce.most > 0 ? true : undefined));

    await stop();

    expect((await waiting).text).toBe(
      'the daemon is stopping; it will turn the outlet on at its next start',
    );
    expect([...store.pendingOns.all.keys()]).toEqual(['pdu-1/3']);
    expect(stuck().length).toBe(0);
  });
});
