import { describe, expect, it } from 'vitest';
import type { PendingOn, SwitchedOff } from '../state/records.ts';
import { Store } from '../state/store.ts';
import { Boards } from '../testing/board-driver.ts';
import { waitUntil } from '../testing/wait-until.ts';
import { Restorer, type RestorerDeps } from './restorer.ts';

const at = '2026-11-20T12:00:00.000Z';

function debt(controller: string, outlet: string, mode?: string): PendingOn {
  return { controller, outlet, since: at, cycle: 'cycle-1', ...(mode !== undefined && { mode }) };
}

const wish: SwitchedOff = { controller: 'pdu-1', outlet: '1', by: 'ann', at, reason: 'smoke' };

/** A restorer of boards whose outlets are all off; in memory, since the disk has no say here. */
async function withDebts(pendingOns: readonly PendingOn[], own: Partial<RestorerDeps> = {}) {
  const boards = new Boards();
  const names = [...new Set(pendingOns.map(({ controller }) => controller))];
  const controllers = new Map(names.map((name) => [name, boards.controller(name)]));
  for (const { controller, outlet } of pendingOns)
    boards.get(controller).outlets.set(outlet, false);
  const store = new Store({
    journal: () => undefined,
    onTrouble: () => undefined,
    onWell: () => undefined,
  });
  await store.keep(pendingOns.map((each) => store.pendingOns.put(each)));
  const stopping = new AbortController();
  const events: string[] = [];
  const restorer = new Restorer({
    store,
    controllers,
    staggerSeconds: () => 0,
    clock: { now: () => Date.now() },
    patience: { firstMs: 1, mostMs: 2, withinMs: 10 },
    backOff: { firstMs: 5, maxMs: 20 },
    emit(event) {
      if (event.type === 'stuck-off') events.push(`stuck ${event.pendingOn.outlet}: ${event.why}`);
      if (event.type !== 'restored') return;
      events.push(`restored ${event.pendingOn.outlet}${event.wasStuck ? ', was stuck' : ''}`);
    },
    signal: stopping.signal,
    ...own,
  });
  async function stop() {
    stopping.abort(new Error('the daemon stops'));
    await restorer.close();
  }
  const stuck = () =>
    [...store.pendingOns.all].flatMap(([key, debt]) => (debt.stuck === undefined ? [] : [key]));
  return { boards, controllers, store, restorer, events, stop, stuck };
}

describe('the restorer', () => {
  it('turns on what is pending, as it was, and forgets it once it was seen on', async () => {
    const owed = debt('pdu-1', '3', 'forced-on');
    const { boards, store, restorer, events } = await withDebts([owed]);

    const restored = await restorer.restore(owed);

    expect(restored).toEqual({ is: 'on', text: 'pdu-1/3 seen on' });
    expect(boards.get('pdu-1').told).toEqual(['on 3 forced-on']);
    expect(store.pendingOns.all.size).toBe(0);
    expect(events).toEqual(['restored 3']);
  });

  it('leaves alone what is on already', async () => {
    const owed = debt('pdu-1', '3');
    const { boards, store, restorer } = await withDebts([owed]);
    boards.get('pdu-1').outlets.set('3', true);

    expect(await restorer.restore(owed)).toMatchObject({ is: 'on' });
    expect(boards.get('pdu-1').told).toEqual([]);
    expect(store.pendingOns.all.size).toBe(0);
  });

  it('proves on what is not pending: the caller wants it on', async () => {
    const { boards, restorer, store } = await withDebts([debt('pdu-1', '3')]);
    await store.keep([store.pendingOns.remove('pdu-1/3')]);

    const restored = await restorer.restore(debt('pdu-1', '3'));

    expect(restored).toEqual({ is: 'on', text: 'pdu-1/3 seen on' });
    expect(boards.get('pdu-1').outlets.isOn('3')).toBe(true);
  });

  it('works on an outlet once, however many ask', async () => {
    const owed = debt('pdu-1', '3');
    const { boards, restorer } = await withDebts([owed]);

    const restored = await Promise.all([1, 2, 3].map(() => restorer.restore(owed)));

    expect(restored.map(({ is }) => is)).toEqual(['on', 'on', 'on']);
    expect(boards.get('pdu-1').told).toEqual(['on 3 usual']);
  });

  it('answers whoever asks in the moment in which it finishes', async () => {
    const pendingOn = debt('pdu-1', '3');
    const answers: Promise<unknown>[] = [];
    async function askAfter(microtasks: number) {
      for (let past = 0; past < microtasks; past += 1) await undefined;
      return restorer.restore(pendingOn);
    }
    const { restorer } = await withDebts([pendingOn], {
      emit({ type }) {
        if (type !== 'restored' || answers.length > 0) return;
        answers.push(...Array.from({ length: 12 }, (_, microtasks) => askAfter(microtasks)));
      },
    });

    await restorer.restore(pendingOn);

    for (const answer of answers) expect(await answer).toMatchObject({ is: 'on' });
  });

  it('reports that it is stuck, goes on for ever, and reports when it is on at last', async () => {
    const owed = debt('pdu-1', '3');
    const { boards, store, restorer, events, stuck } = await withDebts([owed]);
    const board = boards.get('pdu-1');
    board.isDown = true;

    const restored = await restorer.restore(owed);
    const wasStuck = stuck();
    board.isDown = false;
    await waitUntil(() => (store.pendingOns.all.size === 0 ? true : undefined));

    expect(restored.is).toBe('stuck');
    expect(restored.text).toContain('pdu-1/3 could not be proven on: pdu-1: connection refused');
    expect(wasStuck).toEqual(['pdu-1/3']);
    expect(stuck().length).toBe(0);
    expect(board.outlets.isOn('3')).toBe(true);
    expect(events).toEqual([expect.stringContaining('stuck 3'), 'restored 3, was stuck']);
  });

  it('does not believe an outlet that takes the command and stays off', async () => {
    const owed = debt('pdu-1', '3');
    const { boards, restorer, stop } = await withDebts([owed]);
    boards.get('pdu-1').ignores = 'on';

    const restored = await restorer.restore(owed);
    await stop();

    expect(restored).toMatchObject({
      is: 'stuck',
      text: expect.stringContaining('reads back off'),
    });
  });

  it('tries at once when a request needs what is stuck, and reports the result', async () => {
    const owed = debt('pdu-1', '3');
    const { boards, restorer, stuck } = await withDebts([owed], {
      backOff: { firstMs: 3_600_000, maxMs: 3_600_000 },
    });
    const board = boards.get('pdu-1');
    board.ignores = 'on';
    const first = restorer.restore(owed);
    await waitUntil(() => {
      if (stuck().length > 0) return true;
      void restorer.restore(owed);
      return undefined;
    });

    board.ignores = undefined;
    const again = await restorer.restore(owed);

    expect([(await first).is, again.is]).toEqual(['stuck', 'on']);
    expect(stuck().length).toBe(0);
  });

  it('leaves off what a person turned off meanwhile, which then is stuck no more', async () => {
    const owed = debt('pdu-1', '1');
    const { boards, store, restorer, events, stuck } = await withDebts([owed]);
    boards.get('pdu-1').isDown = true;
    await restorer.restore(owed);

    await store.keep([store.switchedOff.put(wish), store.pendingOns.remove('pdu-1/1')]);
    boards.get('pdu-1').isDown = false;
    await waitUntil(() => (events.at(-1)?.startsWith('restored') ? true : undefined));
    expect(stuck()).toEqual([]);

    expect(boards.get('pdu-1').outlets.isOn('1')).toBe(false);
    expect(events.at(-1)).toBe('restored 1, was stuck');
  });

  it('goes on with what is not in rack.yaml now, in case it comes back', async () => {
    const owed = debt('pdu-1', '3');
    const found = new Map<string, ReturnType<Boards['controller']>>();
    const { store, restorer, controllers } = await withDebts([owed], {
      controllers: found,
    });

    const restored = await restorer.restore(owed);
    const [own] = controllers.values();
    if (own !== undefined) found.set('pdu-1', own);
    await waitUntil(() => (store.pendingOns.all.size === 0 ? true : undefined));

    expect(restored.text).toContain('pdu-1 is no longer in rack.yaml');
  });

  it('goes on where a driver cannot even be made', async () => {
    const owed = debt('pdu-1', '3');
    const { restorer, stop } = await withDebts([owed], {
      controllers: {
        get: () => {
          throw new TypeError('no such option');
        },
      },
    });

    const restored = await restorer.restore(owed);
    await stop();

    expect(restored.text).toContain('no such option');
  });

  it('pays old pendingOns one after another on a controller, and all controllers at once', async () => {
    const outlets = ['1', '2', '3'];
    const pendingOns = ['pdu-1', 'pdu-2'].flatMap((pdu) =>
      outlets.map((outlet) => debt(pdu, outlet)),
    );
    let pauses = 0;
    const { boards, store, restorer } = await withDebts(pendingOns, {
      staggerSeconds() {
        pauses += 1;
        return 0.03;
      },
    });
    const order: string[] = [];
    for (const name of ['pdu-1', 'pdu-2']) {
      boards.get(name).outlets.on('change', ({ outlet }) => void order.push(outlet));
    }

    restorer.resume();
    await waitUntil(() => (store.pendingOns.all.size === 0 ? true : undefined));

    expect(order).toEqual(['1', '1', '2', '2', '3', '3']);
    expect(pauses).toBe(4);
  });

  it('keeps the order of an old pending on that a cycle waits for', async () => {
    const pendingOns = [debt('pdu-1', '1'), debt('pdu-1', '2')];
    const { boards, restorer } = await withDebts(pendingOns);
    const order: string[] = [];
    boards.get('pdu-1').outlets.on('change', ({ outlet }) => void order.push(outlet));

    restorer.resume();
    await restorer.restore(debt('pdu-1', '2'));

    expect(order).toEqual(['1', '2']);
  });

  it('lets one dead outlet hold up the next only until it is stuck', async () => {
    const pendingOns = [debt('pdu-1', '1'), debt('pdu-1', '2')];
    const { boards, restorer, store, stop, stuck } = await withDebts(pendingOns);
    const { outlets } = boards.get('pdu-1');
    outlets.on('change', ({ outlet, on }) => {
      if (outlet === '1' && on) outlets.set('1', false);
    });

    restorer.resume();
    await waitUntil(() => (store.pendingOns.get('pdu-1/2') === undefined ? true : undefined));
    await stop();

    expect([...store.pendingOns.all.keys()]).toEqual(['pdu-1/1']);
    expect(stuck()).toEqual(['pdu-1/1']);
  });

  it('stops when the daemon stops, and keeps what is pending', async () => {
    const owed = debt('pdu-1', '3');
    const { boards, store, restorer, stop, stuck } = await withDebts([owed], {
      backOff: { firstMs: 3_600_000, maxMs: 3_600_000 },
    });
    boards.get('pdu-1').isDown = true;
    const waiting = restorer.restore(owed);
    await waitUntil(() => (boards.get('pdu-1').atOnce.most > 0 ? true : undefined));

    await stop();

    expect((await waiting).text).toBe('the daemon stops; its next start turns it on');
    expect([...store.pendingOns.all.keys()]).toEqual(['pdu-1/3']);
    expect(stuck().length).toBe(0);
  });
});
