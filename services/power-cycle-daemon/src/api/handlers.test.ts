/** The HTTP API: what is answered to whom. What cycles do is in cycles.test.ts. */

import { join } from 'node:path';
import { createClient, powerCycleDaemonApi } from '@skolo/api';
import { newToken } from '@skolo/common';
import { fakeClock } from '@skolo/common/testing';
import { evidenceOf } from '@skolo/equipment/models';
import request from 'supertest';
import { describe, expect, it } from 'vitest';
import {
  clientTimeoutMs,
  colleagueOf,
  problem,
  startDaemon,
  type TestDaemon,
} from '../testing/daemon.ts';

const yaml = `
equipment:
  switch-1: { model: edgeswitch, address: 127.0.2.1, power: pdu-1/20 }
  pdu-1: { model: apc-rpdu, address: 127.0.2.2 }
  pdu-2: { model: synaccess, address: 127.0.2.3 }
machines:
  a: { kind: rpi, address: 127.0.1.1, shelf: shelf1, label: '7', power: switch-1/1, uplink: switch-1/1, offSeconds: 0.5, seenBack: { ssh: 9 }, swarming: { url: 'http://127.0.1.1:9' }, device: { kind: android, power: pdu-2/9 } }
  b-[1-4]: { kind: host, power: 'pdu-1/[1-4]', offSeconds: 0.5 }
  bare: { kind: host }
`;
const hard = { reason: 'dead', mode: 'hard' as const };

function ask({ client }: TestDaemon, machines: string[], more: object = {}) {
  return client.requestCycles({ body: { machines, ...hard, ...more } });
}

function withKey({ client }: TestDaemon, key: string, machines: string[], more: object = {}) {
  const headers = { 'idempotency-key': key };
  return client.requestCycles({ headers, body: { machines, ...hard, ...more } });
}

describe('a request', () => {
  it('is accepted at once, with an id for each, ranges expanded, no target twice', async () => {
    const daemon = await startDaemon({ yaml });

    const { cycles, rejected } = await ask(daemon, ['b-[1-3]', 'b-2', 'pdu-1/4']);

    expect(cycles.map(({ target, joined }) => [target, joined])).toEqual([
      ['b-1', false],
      ['b-2', false],
      ['b-3', false],
      ['b-4', false],
    ]);
    expect(new Set(cycles.map(({ id }) => id)).size).toBe(4);
    expect(rejected).toEqual([]);
  });

  it('for names that are not there is 404, and names them', async () => {
    const daemon = await startDaemon({ yaml });

    expect(
      await problem(ask(daemon, ['nobody', 'pdu-1/99', 'jumphost-rack1', 'x-[2-1]'])),
    ).toMatchObject({
      status: 404,
      rejected: [
        {
          target: 'nobody',
          code: 'unknown',
          detail:
            'nobody: rack1 does not have a machine, phone or equipment with this name; to list all names, run skolo inventory list',
        },
        {
          target: 'pdu-1/99',
          detail:
            'pdu-1/99: pdu-1 does not have a switchable outlet with this name; to list the outlets, run skolo rack show pdu-1',
        },
        {
          target: 'jumphost-rack1',
          detail:
            'jumphost-rack1: this is the jumphost, which runs this daemon, so the daemon could not turn it on again',
        },
        { target: 'x-[2-1]', code: 'unknown' },
      ],
    });
  });

  it('for a range of thousands that are not there names a hundred of them', async () => {
    const { client } = await startDaemon({ yaml });
    const names = ['b-[1-9999]', 'b-1'];

    for (const ask of [
      () => client.machines({ query: { name: names } }),
      () => client.cycles({ query: { target: 'b-[1-9999]' } }),
      () => client.requestCycles({ body: { machines: names, ...hard } }),
      () => client.hold({ body: { targets: names, reason: 'dead' } }),
    ]) {
      const { status, rejected } = await problem(ask());
      expect(status).toBe(404);
      const detail = '9895 more are not in rack.yaml';
      expect(rejected).toHaveLength(101);
      expect(rejected).toHaveProperty('100', { target: '9895 more', code: 'unknown', detail });
    }
    // Each of its names would be as long.
    const long = `${'b'.repeat(7000)}[1-9999]`;
    expect(await problem(client.machines({ query: { name: long } }))).toMatchObject({
      status: 400,
    });
    expect(await problem(client.cycles({ query: { target: long } }))).toMatchObject({
      status: 400,
    });
  });

  it('is rejected as a whole when one of it is, and nothing is touched', async () => {
    const daemon = await startDaemon({ yaml });

    const rejected = await problem(ask(daemon, ['b-1', 'bare', 'switch-1']));

    expect(rejected).toMatchObject({
      status: 409,
      detail: 'bare: rack.yaml does not specify its outlet; add `power:` to its entry, and 1 more',
      rejected: [
        { target: 'bare', code: 'no-outlet' },
        { target: 'switch-1', code: 'others-go-dark', dark: ['a', 'a-device'] },
      ],
    });
    expect((await daemon.client.cycles()).cycles).toEqual([]);
  });

  it('goes on without those that are rejected where that was requested', async () => {
    const daemon = await startDaemon({ yaml });

    const { cycles, rejected } = await ask(daemon, ['b-1', 'bare', 'nobody'], {
      skipRejected: true,
    });
    const none = await problem(ask(daemon, ['bare'], { skipRejected: true }));

    expect(cycles.map(({ target }) => target)).toEqual(['b-1']);
    expect(rejected.map(({ target, code }) => [target, code])).toEqual([
      ['nobody', 'unknown'],
      ['bare', 'no-outlet'],
    ]);
    expect(none).toMatchObject({ status: 409 });
  });

  it('joins the cycle that is under way', async () => {
    const daemon = await startDaemon({ yaml });
    const first = await ask(daemon, ['b-1']);

    const second = await ask(daemon, ['b-1', 'b-2']);

    expect(second.cycles).toMatchObject([
      { id: first.cycles[0]?.id, joined: true },
      { target: 'b-2', joined: false },
    ]);
  });

  it('too soon reports when it is possible', async () => {
    const clock = fakeClock();
    const daemon = await startDaemon({ yaml, clock, cooldownSeconds: 300 });
    const { cycles } = await ask(daemon, ['b-1', 'b-2']);
    await Promise.all(cycles.map(({ id }) => daemon.finished(id)));
    clock.pass(60_000);

    const soon = await problem(ask(daemon, ['b-1']));
    const { machines } = await daemon.client.machines({ query: { name: 'b-1' } });
    clock.pass(240_000);
    const later = await ask(daemon, ['b-1']);

    expect(soon).toMatchObject({
      status: 409,
      detail:
        'b-1: the last power cut or reboot of this target ended less than 300 s ago; try again in 240 s, or use --ignore-limits as an operator; possible from 2026-11-20T12:05:00.000Z',
      rejected: [{ code: 'cooling-down', until: '2026-11-20T12:05:00.000Z' }],
    });
    expect(machines).toMatchObject([{ possibleAt: '2026-11-20T12:05:00.000Z' }]);
    expect(later.cycles).toHaveLength(1);
  });

  it('that is no request is 400', async () => {
    const daemon = await startDaemon({ yaml });

    for (const body of [
      { machines: ['b-1'] },
      { machines: [], reason: 'dead' },
      { machines: ['b-1'], reason: 'dead', speed: 'fast' },
      { machines: ['b-1'], reason: 'dead', offSeconds: 0 },
    ]) {
      const post = request(daemon.url).post('/v1/power-cycles');
      await post.auth(daemon.token, { type: 'bearer' }).send(body).expect(400);
    }
  });
});

describe('an Idempotency-Key', () => {
  it('makes a repeated request the same one, also once it is finished', async () => {
    const daemon = await startDaemon({ yaml });
    const names = ['b-[1-2]', 'bare'];
    const first = await withKey(daemon, 'k1', names, { skipRejected: true });
    await Promise.all(first.cycles.map(({ id }) => daemon.finished(id)));

    const second = await withKey(daemon, 'k1', names, { skipRejected: true });

    expect(second).toEqual(first);
    expect(daemon.boards.get('pdu-1').told.filter((told) => told.startsWith('off'))).toHaveLength(
      2,
    );
  });

  it('does so for requests that come together', async () => {
    const daemon = await startDaemon({ yaml });

    const [first, ...others] = await Promise.all(
      [1, 2, 3].map(() => withKey(daemon, 'k1', ['b-1'])),
    );

    expect(others).toEqual([first, first]);
    expect((await daemon.client.cycles()).cycles).toHaveLength(1);
  });

  it('is 422 for another request', async () => {
    const daemon = await startDaemon({ yaml });
    await withKey(daemon, 'k1', ['b-1']);

    for (const more of [
      { reason: 'other' },
      { mode: 'auto' },
      { offSeconds: 7 },
      { force: true },
      { machines: ['b-2'] },
    ]) {
      const { machines, ...others } = { machines: ['b-1'], ...more };
      expect(
        await problem(withKey(daemon, 'k1', machines, others)),
        JSON.stringify(more),
      ).toMatchObject({
        status: 422,
        detail:
          'this Idempotency-Key was already used for a different request; use a new key for each request',
      });
    }
  });

  it('is its owner’s: the same key of somebody else is another one', async () => {
    const daemon = await startDaemon({ yaml });
    const token = await newToken(join(daemon.dir, 'tokens.yaml'), {
      name: 'bob',
      role: 'operate',
      expiresInDays: 1,
    });
    const { url: baseUrl } = daemon;
    const timeoutMs = clientTimeoutMs;
    const bob = createClient(powerCycleDaemonApi, { baseUrl, token, timeoutMs });
    await withKey(daemon, 'k1', ['b-1']);

    const body = { machines: ['b-2'], ...hard };
    const other = await bob.requestCycles({ headers: { 'idempotency-key': 'k1' }, body });

    expect(other.cycles).toMatchObject([{ target: 'b-2', joined: false }]);
  });

  it('is free again after a request that was rejected', async () => {
    const daemon = await startDaemon({ yaml });
    await problem(withKey(daemon, 'k1', ['bare']));

    expect((await withKey(daemon, 'k1', ['b-1'])).cycles).toHaveLength(1);
  });

  it('holds while the wall clock jumps, and is forgotten after a day', async () => {
    const clock = fakeClock();
    const daemon = await startDaemon({ yaml, clock });
    const first = await withKey(daemon, 'k1', ['b-1']);
    await daemon.finished(first.cycles[0]?.id ?? '');
    clock.setWall('2030-01-01T00:00:00Z');
    const second = await withKey(daemon, 'k1', ['b-1']);
    clock.pass(86_401_000);
    const third = await withKey(daemon, 'k1', ['b-1']);

    expect(second).toEqual(first);
    expect(third.cycles[0]?.id).not.toBe(first.cycles[0]?.id);
  });
});

describe('cancelling', () => {
  it('ends what has not begun', async () => {
    const daemon = await startDaemon({ yaml, settings: '    atOncePerController: 1' });
    const begun = await ask(daemon, ['b-1'], { offSeconds: 15 });
    const waiting = await ask(daemon, ['b-[2-3]']);
    const [first, second, third] = [...begun.cycles, ...waiting.cycles].map(({ id }) => id);
    await daemon.until(second ?? '', ({ position }) => position !== undefined);

    const cancelled = await daemon.client.cancelCycle({
      params: { id: second ?? '' },
      query: { why: 'found the plug' },
    });
    const done = await Promise.all([first, third].map((id) => daemon.finished(id ?? '')));

    expect(cancelled).toMatchObject({
      outcome: 'cancelled',
      detail: `cancelled by ${daemon.who}: found the plug`,
    });
    expect(done.map(({ outcome }) => outcome)).toEqual(['on', 'on']);
    expect(daemon.boards.get('pdu-1').told).not.toContain('off 2');
  });

  it('is 409 for what has begun or is finished, and 404 for what never was', async () => {
    const daemon = await startDaemon({ yaml });
    const id = await daemon.request('b-1', { offSeconds: 15 });
    await daemon.until(id, ({ step }) => step === 'off');

    const begun = await problem(daemon.client.cancelCycle({ params: { id } }));
    await daemon.finished(id);
    const finished = await problem(daemon.client.cancelCycle({ params: { id } }));
    const unknown = await problem(daemon.client.cancelCycle({ params: { id: 'x' } }));

    expect(begun).toMatchObject({
      status: 409,
      detail: 'the cycle of b-1 has begun; it can no longer be cancelled',
    });
    expect(finished).toMatchObject({
      status: 409,
      detail: 'the request for b-1 has finished (on)',
    });
    expect(unknown).toMatchObject({
      status: 404,
      detail: 'x: no such cycle; to list all cycles, run skolo power log',
    });
  });
});

describe('cycles', () => {
  it('are listed, the newest first, by whatever one looks for', async () => {
    const daemon = await startDaemon({ yaml });
    for (const machine of ['b-1', 'b-2', 'b-1']) {
      await daemon.cycle(machine);
    }
    daemon.boards.get('pdu-1').isWedged = true;
    await ask(daemon, ['b-3']);
    const list = async (query: object) =>
      (await daemon.client.cycles({ query })).cycles.map(({ target }) => target);

    expect(await list({})).toEqual(['b-3', 'b-1', 'b-2', 'b-1']);
    expect(await list({ target: 'b-1' })).toEqual(['b-1', 'b-1']);
    expect(await list({ target: 'b-[1-2]' })).toEqual(['b-1', 'b-2', 'b-1']);
    expect(await list({ state: 'running' })).toEqual(['b-3']);
    expect(await list({ state: 'finished', limit: 1 })).toEqual(['b-1']);
    expect(await list({ outcome: 'on', by: daemon.who })).toHaveLength(3);
    expect(await list({ outcome: 'back' })).toEqual([]);
    expect(await list({ by: 'nobody' })).toEqual([]);
    expect(await list({ since: '2999-01-01T00:00:00Z' })).toEqual([]);
    expect(await list({ since: '2000-01-01T00:00:00Z' })).toHaveLength(4);
    await request(daemon.url).get('/v1/power-cycles?state=gone').expect(400);
  });

  it('are found since a moment within the same second', async () => {
    const clock = fakeClock('2026-11-20T12:00:00.500Z');
    const daemon = await startDaemon({ yaml, clock });
    await ask(daemon, ['b-1']);
    const list = async (since: string) =>
      (await daemon.client.cycles({ query: { since } })).cycles.length;

    expect(await list('2026-11-20T12:00:00Z')).toBe(1);
    expect(await list('2026-11-20T12:00:00.500Z')).toBe(1);
    expect(await list('2026-11-20T12:00:00.501Z')).toBe(0);
  });

  it('have their place in the queue', async () => {
    const daemon = await startDaemon({ yaml, settings: '    atOncePerController: 1' });
    const { cycles } = await ask(daemon, ['b-[1-4]'], { offSeconds: 15 });
    const last = await daemon.until(cycles[3]?.id ?? '', ({ steps, position }) => {
      return steps.some(({ text }) => text === 'pdu-1/4 is on') && position !== undefined;
    });
    const shown = await daemon.client.cycle({ params: { id: cycles[3]?.id ?? '' } });

    expect(last.step).toBe('queued');
    expect(shown.position).toBeGreaterThanOrEqual(1);
    await Promise.all(
      cycles.slice(1).map(({ id }) => daemon.client.cancelCycle({ params: { id } })),
    );
  });
});

describe('the views', () => {
  it('show a machine with all that one wants to know', async () => {
    const daemon = await startDaemon({ yaml, settings: '    seenBackSeconds: 1' });
    const [cycle] = await daemon.cycle('a', { force: true });
    await daemon.client.hold({ body: { targets: ['a'], reason: 'new fan' } });

    const { machines } = await daemon.client.machines({ query: { name: ['a', 'a-device'] } });

    expect(machines).toMatchObject([
      {
        name: 'a',
        kind: 'machine',
        shelf: 'shelf1',
        label: '7',
        outlets: [
          {
            outlet: 'switch-1/1',
            controller: 'switch-1',
            feeds: ['a'],
            state: 'on',
            watts: 5,
            delivering: true,
            mode: 'auto',
            stuckOff: false,
            readAt: expect.any(String),
          },
        ],
        controllers: [{ name: 'switch-1', state: 'up' }],
        last: { id: cycle?.id, action: 'cycle', outcome: 'failed', by: daemon.who, reason: 'dead' },
        hold: { by: daemon.who, reason: 'new fan' },
      },
      { name: 'a-device', kind: 'phone', outlets: [{ outlet: 'pdu-2/9' }], hold: {} },
    ]);
  });

  it('show all, or those that are asked for', async () => {
    const daemon = await startDaemon({ yaml });
    const names = async (query: object) =>
      (await daemon.client.machines({ query })).machines.map(({ name }) => name);

    expect(await names({})).toEqual([
      ...['a', 'a-device', 'b-1', 'b-2', 'b-3', 'b-4', 'bare', 'switch-1', 'pdu-1', 'pdu-2'],
    ]);
    expect(await names({ name: 'b-[2-3]' })).toEqual(['b-2', 'b-3']);
    expect(await problem(daemon.client.machines({ query: { name: 'nobody' } }))).toMatchObject({
      status: 404,
      rejected: [{ target: 'nobody' }],
    });
  });

  it('show the outlets of a PDU that feeds nothing in rack.yaml, read, but not those of a switch', async () => {
    const daemon = await startDaemon({
      yaml: `
equipment:
  switch-1: { model: edgeswitch, address: 127.0.2.1 }
  pdu-1: { model: apc-rpdu, address: 127.0.2.2, outlets: 3 }
  pdu-2: { model: synaccess, address: 127.0.2.3 }
machines:
  d: { kind: host, power: pdu-2/3 }
`,
    });
    daemon.boards.get('pdu-1').outlets.set('2', false);
    const shown = async () =>
      (await daemon.client.machines()).machines.flatMap(({ name, outlets }) =>
        outlets.map(({ state }) => `${name} ${state}`),
      );

    await expect.poll(shown).toEqual(['d on', 'pdu-1/1 on', 'pdu-1/2 off', 'pdu-1/3 on']);
    const { controllers } = await daemon.client.controllers();
    expect(controllers.map(({ name, state }) => `${name} ${state}`)).toEqual([
      'switch-1 unknown',
      'pdu-1 up',
      'pdu-2 up',
    ]);
  });

  it('show each outlet that feeds something, and each controller', async () => {
    const daemon = await startDaemon({ yaml });
    const { outlets } = await daemon.client.outlets();
    const { controllers } = await daemon.client.controllers();

    expect(outlets.map(({ outlet, feeds }) => [outlet, ...feeds])).toEqual([
      ['switch-1/1', 'a'],
      ['pdu-2/9', 'a-device'],
      ['pdu-1/1', 'b-1'],
      ['pdu-1/2', 'b-2'],
      ['pdu-1/3', 'b-3'],
      ['pdu-1/4', 'b-4'],
      ['pdu-1/20', 'switch-1'],
    ]);
    expect(controllers).toMatchObject([
      { name: 'switch-1', model: 'edgeswitch', level: evidenceOf('edgeswitch').level },
      { name: 'pdu-1', model: 'apc-rpdu', queue: expect.any(Number) },
      { name: 'pdu-2', model: 'synaccess' },
    ]);
  });
});

/** Another operator. */
describe('holds', () => {
  it('keep from cycling, are listed, take the place of previous ones, and are released', async () => {
    const daemon = await startDaemon({ yaml });
    const client = await colleagueOf(daemon);
    await client.hold({ body: { targets: ['b-1'], reason: 'fan' } });
    const until = new Date(Date.now() + 3_600_000).toISOString();
    const added = await client.hold({ body: { targets: ['b-[1-2]'], until, reason: 'new fan' } });

    const rejected = await problem(ask(daemon, ['b-1']));
    const { holds } = await client.holds();
    const released = await client.release({ params: { id: added.holds[0]?.id ?? '' } });
    const after = await ask(daemon, ['b-1']);

    expect(rejected).toMatchObject({
      detail: `b-1: put on hold by ${holds[0]?.by} until ${until}: new fan; possible from ${until}`,
      rejected: [{ code: 'held', until }],
    });
    expect(holds.map(({ target, reason }) => [target, reason])).toEqual([
      ['b-1', 'new fan'],
      ['b-2', 'new fan'],
    ]);
    expect(released).toMatchObject({ target: 'b-1', reason: 'new fan' });
    expect(after.cycles).toHaveLength(1);
    expect(await problem(client.release({ params: { id: 'x' } }))).toMatchObject({
      status: 404,
      detail: 'x: no such hold; to list all holds, run skolo power holds',
    });
  });

  it('end by themselves, also those without an end of their own', async () => {
    const clock = fakeClock();
    const daemon = await startDaemon({ yaml, clock });
    await (await colleagueOf(daemon)).hold({ body: { targets: ['rack1'], reason: 'move' } });
    const held = await problem(ask(daemon, ['b-1']));
    clock.pass(24 * 3600_000);

    expect(held).toMatchObject({ rejected: [{ until: '2026-11-21T12:00:00.000Z' }] });
    expect((await daemon.client.holds()).holds).toEqual([]);
    expect((await ask(daemon, ['b-1'])).cycles).toHaveLength(1);
  });

  it('are not in the past, and not too far away', async () => {
    const { client } = await startDaemon({ yaml });

    for (const [until, detail] of [
      ['2020-01-01T00:00:00Z', 'until: 2020-01-01T00:00:00Z is in the past; specify a future time'],
      ['2099-01-01T00:00:00Z', 'a hold can last at most 720 hours; specify an earlier end'],
    ] as const) {
      expect(
        await problem(client.hold({ body: { targets: ['a'], until, reason: 'x' } })),
      ).toMatchObject({ status: 400, detail });
    }
  });

  it('are not for what is not there', async () => {
    const { client } = await startDaemon({ yaml });

    expect(
      await problem(client.hold({ body: { targets: ['a', 'nobody'], reason: 'x' } })),
    ).toMatchObject({ status: 404, rejected: [{ target: 'nobody' }] });
    expect((await client.holds()).holds).toEqual([]);
  });
});

describe('events', () => {
  it('send the state now, and then each change', async () => {
    const daemon = await startDaemon({ yaml });
    const board = daemon.boards.get('pdu-1');
    // The outlet stays on until the client has connected.
    board.busyTimes = Number.POSITIVE_INFINITY;
    const id = await daemon.request('b-1');
    const steps = new Set<string>();
    await daemon.until(id, ({ step, outcome }) => {
      board.busyTimes = 0;
      steps.add(step);
      return outcome !== undefined;
    });

    const again = await daemon.finished(id);

    expect([...steps]).toEqual(expect.arrayContaining(['turn-off', 'off', 'turn-on']));
    expect(again.outcome).toBe('on');
  });

  it('of all cycles are sent to a client that names none', async () => {
    const daemon = await startDaemon({ yaml });
    const { events } = await daemon.client.cycleEvents();
    const { cycles } = await ask(daemon, ['b-[1-2]']);
    const untold = new Set(cycles.map(({ id }) => id));

    for await (const { data } of events) {
      untold.delete(data.id);
      if (untold.size === 0) break;
    }

    expect(untold).toEqual(new Set());
  });

  it('are of those that are named, in one list or in several', async () => {
    const daemon = await startDaemon({ yaml });
    const { cycles } = await ask(daemon, ['b-[1-3]']);
    await Promise.all(cycles.map(({ id }) => daemon.finished(id)));
    const [first, second, third] = cycles.map(({ id }) => id);
    const told = async (wanted: string | string[]) => {
      const ids: string[] = [];
      const { events } = await daemon.client.cycleEvents({ query: { ids: wanted } });
      for await (const { data } of events) if (ids.push(data.id) === 2) break;
      return ids;
    };

    expect(await told(`${first},${second}`)).toEqual([first, second]);
    expect(await told([`${first}`, `${third}`])).toEqual([first, third]);
    await request(daemon.url).get('/v1/power-cycles/events?ids=x').expect(404);
  });

  it('end when the daemon stops', async () => {
    const daemon = await startDaemon({ yaml });
    const { events } = await daemon.client.cycleEvents();

    await daemon.stop();

    await expect(events[Symbol.asyncIterator]().next()).rejects.toThrow('closed the connection');
  });
});

describe('outlets', () => {
  it('of a controller that is down are unknown, whatever they were', async () => {
    const daemon = await startDaemon({ yaml });
    const states = async () => {
      const { outlets } = await daemon.client.outlets();
      const own = outlets.filter(({ controller }) => controller === 'switch-1');
      return own.map(({ state }) => state);
    };
    await expect.poll(states).toEqual(['on']);

    daemon.boards.get('switch-1').isDown = true;
    await daemon.cycle('a');

    expect(await states()).toEqual(['unknown']);
  });
});

describe('metrics', () => {
  it('count cycles by what came of them, rejections, outlets and controllers', async () => {
    const daemon = await startDaemon({ yaml });
    daemon.boards.get('pdu-1').ignores = 'off';
    await daemon.cycle('b-1');
    daemon.boards.get('pdu-1').ignores = undefined;
    await daemon.cycle('b-2');
    await problem(ask(daemon, ['bare']));
    daemon.boards.get('switch-1').isDown = true;
    await daemon.cycle('a');

    const metrics = await daemon.metrics();

    for (const line of [
      'skolo_power_cycles_total{action="cycle",outcome="on",failed_step=""} 1',
      'skolo_power_cycles_total{action="cycle",outcome="failed",failed_step="turn-off"} 1',
      'skolo_power_cycles_total{action="cycle",outcome="failed",failed_step="contact"} 1',
      'skolo_power_rejections_total{code="no-outlet"} 1',
      'skolo_power_controller_up{controller="pdu-1",model="apc-rpdu"} 1',
      'skolo_power_controller_up{controller="switch-1",model="edgeswitch"} 0',
      'skolo_power_outlet_on{outlet="pdu-1/2"} 1',
      'skolo_power_outlets_pending_on 0',
    ]) {
      expect(metrics).toContain(`${line}\n`);
    }
  });
});
