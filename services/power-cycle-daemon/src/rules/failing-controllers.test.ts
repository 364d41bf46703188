/** A switch that turns outlets off and not on: it must not darken the machines behind it one by one. */

import { describe, expect, it } from 'vitest';
import { startDaemon, type TestDaemon } from '../testing/daemon.ts';
import { waitUntil } from '../testing/wait-until.ts';
import { CircuitBreaker } from './circuit-breaker.ts';

const yaml = `
equipment:
  pdu-1: { model: apc-rpdu, address: 127.0.2.2 }
  pdu-2: { model: apc-rpdu, address: 127.0.2.3 }
machines:
  a-[01-12]: { kind: host, power: 'pdu-1/[1-12]', offSeconds: 0.5 }
  b-[1-4]: { kind: host, power: 'pdu-2/[1-4]', offSeconds: 0.5 }
`;

function dark({ boards }: TestDaemon, pdu: string): number {
  const { outlets } = boards.get(pdu);
  return outlets.names().filter((outlet) => !outlets.isOn(outlet)).length;
}

async function controller({ client }: TestDaemon, name: string) {
  const { controllers } = await client.controllers();
  return controllers.find((each) => each.name === name);
}

/** `pdu-1/1` is stuck off: it is the first that the daemon ever turned off there. */
async function withStuckOutlet(options: Partial<Parameters<typeof startDaemon>[0]> = {}) {
  const daemon = await startDaemon({ yaml, ...options });
  daemon.boards.get('pdu-1').rejectsOn = true;
  const [cycle] = await daemon.cycle('a-01');
  expect(cycle?.outcome).toBe('stuck-off');
  return daemon;
}

async function isRejected(request: Promise<unknown>, target: string, more: object = {}) {
  const rejected = [{ target, code: 'controller-failing', ...more }];
  await expect(request).rejects.toMatchObject({ status: 409, problem: { rejected } });
}

describe('a controller that rejects every on', () => {
  it('darkens one machine of all that were asked for, and none of another controller waits for that', async () => {
    const daemon = await startDaemon({ yaml });
    daemon.boards.get('pdu-1').rejectsOn = true;

    const cycles = await daemon.cycle(['a-[01-12]', 'b-[1-4]']);

    const [a, b] = ['a', 'b'].map((name) => cycles.filter(({ target }) => target.startsWith(name)));
    expect(b?.map(({ outcome }) => outcome)).toEqual(['on', 'on', 'on', 'on']);
    expect(a?.filter(({ outcome }) => outcome === 'stuck-off')).toHaveLength(1);
    const others = a?.filter(({ outcome }) => outcome !== 'stuck-off') ?? [];
    expect(others).toHaveLength(11);
    for (const { outcome, detail } of others) {
      expect([outcome, detail]).toEqual([
        'failed',
        expect.stringMatching(
          /^a-\d\d: pdu-1 is failing: it turned pdu-1\/\d+ off at .+ and cannot turn it on again \(.*PoE controller busy.*\); its other outlets will not be turned off/,
        ),
      ]);
    }
    expect(dark(daemon, 'pdu-1')).toBe(1);
    expect(daemon.boards.get('pdu-1').told.filter((each) => each.startsWith('off'))).toHaveLength(
      1,
    );
  });

  it('is failing in its status, in each machine behind it, and in the metrics', async () => {
    const daemon = await withStuckOutlet();

    const { machines } = await daemon.client.machines({ query: { name: 'a-07' } });
    expect(await controller(daemon, 'pdu-1')).toMatchObject({
      state: 'failing',
      stuckOutlets: ['pdu-1/1'],
      detail: expect.stringMatching(/^pdu-1\/1 is stuck off: .*PoE controller busy/),
    });
    expect(await controller(daemon, 'pdu-2')).not.toHaveProperty('stuckOutlets');
    expect(machines[0]?.controllers).toMatchObject([{ name: 'pdu-1', state: 'failing' }]);
    expect(await daemon.metrics()).toContain(
      'skolo_power_controller_failing{controller="pdu-1",model="apc-rpdu"} 1',
    );
    expect(await daemon.metrics()).toContain(
      'skolo_power_controller_failing{controller="pdu-2",model="apc-rpdu"} 0',
    );
  });

  it('is asked no more by anybody: a request is rejected with the reason, and on is not', async () => {
    const daemon = await withStuckOutlet();

    for (const request of [() => daemon.request('a-02'), () => daemon.turn('off', 'a-02')]) {
      await isRejected(request(), 'a-02');
    }
    daemon.boards.get('pdu-1').outlets.set('3', false);
    daemon.boards.get('pdu-1').rejectsOn = false;
    expect(await daemon.turn('on', 'a-03')).toMatchObject({ outcome: 'on' });
  });

  it('lets an operator force one more, and only one', async () => {
    const daemon = await withStuckOutlet();

    await isRejected(daemon.requests(['a-[02-03]'], { force: true }), 'a-03');
    const [forced] = await daemon.cycle('a-02', { force: true });
    const again = daemon.request('a-03', { force: true });

    expect(forced?.outcome).toBe('stuck-off');
    await isRejected(again, 'a-03', { until: expect.any(String) });
    expect(dark(daemon, 'pdu-1')).toBe(2);
  });

  it('keeps its forced cycles, too, from going one after the other', async () => {
    const daemon = await startDaemon({ yaml });
    daemon.boards.get('pdu-1').rejectsOn = true;

    const cycles = await daemon.cycle('a-[01-04]', { force: true });

    // The first that was turned off, and the one that is forced.
    expect(cycles.filter(({ outcome }) => outcome === 'stuck-off')).toHaveLength(2);
    expect(dark(daemon, 'pdu-1')).toBe(2);
  });

  it('is well again once the outlet is on, by the daemon or by hand', async () => {
    const daemon = await withStuckOutlet();

    daemon.boards.get('pdu-1').rejectsOn = false;
    await waitUntil(async () => {
      return (await controller(daemon, 'pdu-1'))?.state === 'up' ? true : undefined;
    });

    expect(await controller(daemon, 'pdu-1')).not.toHaveProperty('stuckOutlets');
    expect(await daemon.cycle('a-[02-06]')).toMatchObject(
      Array.from({ length: 5 }, () => ({ outcome: 'on' })),
    );
  });

  it('is remembered by the next process, which keeps trying', async () => {
    const daemon = await withStuckOutlet();
    await daemon.stop();

    const next = await startDaemon({ yaml, previous: daemon });
    const atOnce = await controller(next, 'pdu-1');
    const request = next.request('a-02');

    expect(atOnce).toMatchObject({ stuckOutlets: ['pdu-1/1'] });
    await expect(request).rejects.toMatchObject({ status: 409 });
    expect(await next.metrics()).toContain('skolo_power_outlets_stuck_off{outlet="pdu-1/1"} 1');
    next.boards.get('pdu-1').rejectsOn = false;
    await waitUntil(() => (dark(next, 'pdu-1') === 0 ? true : undefined));
    const { cycles } = await next.client.cycles();
    expect(cycles.map(({ outcome }) => outcome)).toEqual(['stuck-off']);
  });
});

describe('what is known of a controller', () => {
  it('lasts ten minutes, by a clock that does not jump', () => {
    const clock = { now: () => 0, uptime: () => uptime };
    let uptime = 1000;
    const breaker = new CircuitBreaker({ clock, store: { pendingOns: { all: new Map() } } });
    const pendingOn = { controller: 'pdu-1', outlet: '1', since: '', cycle: '' };
    const limits: number[] = [breaker.mostOff('pdu-1')];
    breaker.noteTurnedOn('pdu-1');

    for (const [at, doubt] of [
      [1000, false],
      [1599, false],
      [1599, true],
      [1600, false],
    ] as const) {
      uptime = at;
      if (doubt) breaker.noteFailed(pendingOn, '');
      else breaker.forgetFailed(pendingOn);
      limits.push(breaker.mostOff('pdu-1'));
    }

    const any = Number.POSITIVE_INFINITY;
    expect(limits).toEqual([1, any, any, 0, 1]);
  });
});

describe('a controller whose on is not verified', () => {
  it('has one machine off at a time until one was seen on again, and then as many as allowed', async () => {
    const daemon = await startDaemon({ yaml });
    const counts: number[] = [];
    daemon.boards.get('pdu-1').outlets.on('change', () => counts.push(dark(daemon, 'pdu-1')));

    await daemon.cycle('a-[01-12]');

    expect(counts.slice(0, 2)).toEqual([1, 0]);
    expect(Math.max(...counts)).toBe(5);
  });

  it('does not keep a person from turning many off, who wants them dark', async () => {
    const daemon = await startDaemon({ yaml });

    const done = await daemon.turnAll('off', ['a-[01-12]']);

    expect(done.every(({ outcome }) => outcome === 'off')).toBe(true);
    expect(dark(daemon, 'pdu-1')).toBe(12);
  });
});
