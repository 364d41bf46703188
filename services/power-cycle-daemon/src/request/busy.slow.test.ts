/** Jobs that others announce: nothing that would turn their machine off is cycled without force, whoever asks, and whatever dies. */
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient, type Problem, powerCycleDaemonApi } from '@skolo/api';
import { runs, sendRequest } from '@skolo/base/testing';
import { newToken } from '@skolo/common';
import { fakeClock } from '@skolo/common/testing';
import { freeTcpPort } from '@skolo/simulators/free-port';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { audited } from '../testing/audited.ts';
import {
  boardEquipment,
  clientTimeoutMs,
  colleagueOf,
  problem,
  startDaemon,
  type TestDaemon,
} from '../testing/daemon.ts';
import { startRepairLab } from '../testing/repair-lab.ts';

const yaml = `${boardEquipment}  switch-9: { model: edgeswitch, address: 127.0.2.8, power: pdu-1/9 }
  router: { model: edgeos, address: 127.0.2.9, ports: { ssh: 1 }, uplink: internet }
machines:
  a: { kind: rpi, power: switch-1/1, offSeconds: 0.5, devices: [{ name: device, kind: android, power: pdu-1/5 }] }
  b: { kind: host, power: pdu-1/1, offSeconds: 0.5 }
  c: { kind: host, power: [pdu-1/2, pdu-2/2], offSeconds: 0.5 }
  d-[1-2]: { kind: host, power: 'pdu-1/[3-4]', offSeconds: 0.5 }
  e: { kind: host, power: pdu-2/3, uplink: switch-9/1 }
`;
const hour = 3_600_000;
const isoAt = (ms: number) => new Date(ms).toISOString();

async function start(options: Partial<Parameters<typeof startDaemon>[0]> = {}) {
  const daemon = await startDaemon({ yaml, ...options });
  const bob = options.previous
    ? await colleagueOf(daemon, { name: 'bob-2' })
    : await colleagueOf(daemon);
  return {
    ...daemon,
    bob,
    busy: (name: string, body: object = {}) =>
      bob.setBusy({ params: { name }, body: { text: 'nightly', ...body } }),
  };
}

describe('a busy machine', () => {
  it.each([
    ['itself', 'b', 'b', {}],
    ['its phone', 'a', 'a-device', {}],
    ['the machine of a phone', 'a-device', 'a', {}],
    ['its outlet', 'b', 'pdu-1/1', {}],
    ['one of all its feeds', 'c', 'c', {}],
    ['a soft reboot', 'a', 'a', { mode: 'auto' }],
  ])('is not cycled by others: %s', async (_what, name, target, more) => {
    const { cycle, busy, boards } = await start();
    const { until } = await busy(name);

    const [answer] = await cycle(target, more);

    expect(answer).toMatchObject({
      outcome: 'busy',
      detail: `${name} is busy: nightly (bob until ${until})`,
    });
    expect(boards.get('pdu-1').told).toEqual([]);
    expect(boards.get('switch-1').told).toEqual([]);
  });

  it('is not in the way of one of two feeds, unless the other one is off', async () => {
    const { cycle, turn, busy } = await start();
    await busy('c');

    const [first] = await cycle('pdu-1/2', { offSeconds: 0.5, force: true });
    await turn('off', 'pdu-1/2');
    const [last] = await cycle('pdu-2/2', { offSeconds: 0.5, force: true });

    expect(first?.detail).not.toContain('busy');
    expect(last?.detail).toContain('this ended a job: c is busy: nightly (bob');
  });

  it('is named in outcome and audit log if it is behind the switch of a forced cycle', async () => {
    const [name, target] = ['e', 'switch-9'];
    const { cycle, busy, stateDir } = await start({ settings: '    seenBackSeconds: 1' });
    const { until } = await busy(name);

    const [answer] = await cycle(target, { force: true });

    const named = `this ended a job: ${name} is busy: nightly (bob until ${until})`;
    expect(answer?.detail?.endsWith(named)).toBe(true);
    await expect
      .poll(async () => (await audited(stateDir)).at(-1))
      .toMatchObject({ target, outcome: expect.stringContaining(named) });
  });

  it('may be cycled by whoever said so, and by nobody else when two have', async () => {
    const { busy, bob, client, finished, cycle } = await start();
    const body = { machines: ['b'], mode: 'hard' as const, reason: 'next board' };
    const own = async () => (await bob.requestCycles({ body })).cycles[0]?.id ?? '';
    await busy('b');

    const alone = await finished(await own());
    await client.setBusy({ params: { name: 'b' }, body: { text: 'by hand' } });
    const both = await finished(await own());
    await client.endBusy({ params: { name: 'b' } });
    const [other] = await cycle('b');
    await bob.endBusy({ params: { name: 'b' } });
    const [free] = await cycle('b');

    expect([alone, both, other, free].map((each) => each?.outcome)).toEqual([
      'on',
      'busy',
      'busy',
      'on',
    ]);
    expect(both.detail).toMatch(/^b is busy: by hand/);
  });

  it('stays busy until the last of two jobs with the same token has ended', async () => {
    const { busy, bob, client } = await start();
    await busy('b', { job: '1' });
    await busy('b', { job: '2' });

    await bob.endBusy({ params: { name: 'b' }, query: { job: '1' } });
    const { machines } = await client.machines({ query: { name: 'b' } });
    const again = await problem(bob.endBusy({ params: { name: 'b' }, query: { job: '1' } }));

    expect(machines[0]?.busy).toMatchObject([{ by: 'bob', reason: 'nightly' }]);
    expect(again).toMatchObject({
      status: 404,
      detail: 'b: bob has no job 1 there, or it has ended',
    });
  });

  it('can be turned off by a person, which names the job', async () => {
    const { busy, turn } = await start();
    await busy('b');

    const off = await turn('off', 'b');

    expect(off).toMatchObject({
      outcome: 'off',
      detail: expect.stringContaining('this ended a job: b is busy: nightly (bob'),
    });
  });

  it('is protected from clients of the pdudaemon endpoint, except that of its own job', async () => {
    const port = await freeTcpPort();
    const settings = `    endpoints: { pdudaemon: { port: ${port}, host: 127.0.0.1, allow: [127.0.0.0/8] } }`;
    const { busy, client, bob, boards } = await start({ settings });
    const outlet = 'hostname=127.0.2.2&port=1&delay=0';
    const ask = (what: string, from: string) =>
      sendRequest(port, `/power/control/${what}?${outlet}`, { from });
    await busy('b');

    const refused = [await ask('reboot', '127.0.0.7'), await ask('off', '127.0.0.7')];
    const told = [...boards.get('pdu-1').told];
    const on = await ask('on', '127.0.0.7');
    const own = await ask('reboot', '127.0.0.1');
    await bob.endBusy({ params: { name: 'b' } });
    await client.setBusy({ params: { name: 'c' }, body: { text: 'elsewhere' } });
    const free = await ask('off', '127.0.0.7');

    for (const { status, text } of refused) {
      expect([status, text]).toEqual([500, expect.stringMatching(/^busy: b is busy: nightly/)]);
    }
    expect(told).toEqual([]);
    expect([on.status, own.status, free.status]).toEqual([200, 200, 200]);
  });

  it('waits in the queue and is then asked about again', async () => {
    const settings = '    atOncePerController: 1';
    const { request, until, finished, busy, boards } = await start({ settings });
    const first = await request('d-1', { force: true, offSeconds: 20 });
    await until(first, ({ step }) => step === 'off');
    const second = await request('b');
    await until(second, ({ steps }) => steps.some(({ text }) => text === 'pdu-1/1 is on'));

    await busy('b');
    const answer = await finished(second);

    expect(answer).toMatchObject({ outcome: 'busy', detail: expect.stringMatching(/^b is busy/) });
    expect(boards.get('pdu-1').told).not.toContain('off 1');
  });

  it.each([
    [
      'its cycle',
      (daemon: Awaited<ReturnType<typeof start>>) => daemon.request('b', { offSeconds: 15 }),
    ],
    [
      'the cycle of its switch',
      (daemon: Awaited<ReturnType<typeof start>>) =>
        daemon.request('switch-9', { offSeconds: 15, force: true }),
    ],
  ])('cannot be announced once %s has begun', async (what, request) => {
    const daemon = await start({ settings: '    seenBackSeconds: 1' });
    const id = await request(daemon);
    await daemon.until(id, ({ step }) => step === 'off');
    const name = what === 'its cycle' ? 'b' : 'e';

    const during = await problem(daemon.busy(name));
    await daemon.finished(id);
    const after = await daemon.busy(name);

    expect(during).toMatchObject({
      status: 409,
      detail: `${name} is being power-cycled (${id}); try again when this has finished`,
    });
    expect(after).toMatchObject({ target: name, kind: 'busy' });
  });

  it('cannot be announced while the journal is writing that the cycle has begun', async () => {
    const { request, finished, busy } = await start();
    const handle = await open(import.meta.filename);
    const prototype: FileHandle = Object.getPrototypeOf(handle);
    await handle.close();
    const { write } = prototype;
    onTestFinished(() => void Object.assign(prototype, { write }));
    let announced: Promise<Problem> | undefined;
    async function slowWrite(this: FileHandle, bytes: Buffer, ...rest: number[]): Promise<unknown> {
      if (announced === undefined && bytes.includes('"phase":"turn-off"')) {
        announced = problem(busy('b'));
        // One that is accepted waits for this write.
        await Promise.race([announced.catch(() => undefined), sleep(5000)]);
      }
      return Reflect.apply(write, this, [bytes, ...rest]);
    }
    Object.assign(prototype, { write: slowWrite });

    const id = await request('b');

    expect(await finished(id)).toMatchObject({ outcome: expect.stringMatching(/^(on|back)$/) });
    expect(await announced).toMatchObject({ status: 409, detail: expect.stringContaining(id) });
  });

  it('must be in rack.yaml, and for at most 24 hours', async () => {
    const { busy } = await start();

    const unknown = await problem(busy('nobody'));
    const past = await problem(busy('b', { until: isoAt(0) }));
    const late = await problem(busy('b', { until: isoAt(Date.now() + 25 * hour) }));

    expect(unknown).toMatchObject({ status: 404, rejected: [{ target: 'nobody' }] });
    expect(past.status).toBe(400);
    expect(late.detail).toBe(
      'a job can last at most 24 hours; specify an earlier end, and send it again before that',
    );
  });
});

describe('a job', () => {
  it('that nobody says again ends, whatever the wall clock does meanwhile', async () => {
    const clock = fakeClock();
    const { busy, client } = await start({ clock });
    await busy('b', { until: isoAt(clock.now() + hour / 2) });
    const jobs = async () => (await client.holds()).holds.map(({ until }) => until);

    clock.setWall('2031-01-01T00:00:00Z');
    const jumped = await jobs();
    clock.setWall('1970-01-01T00:00:00Z');
    clock.pass(29 * 60_000);
    const before = await jobs();
    clock.pass(61_000);

    expect(jumped).toEqual(['2031-01-01T00:30:00.000Z']);
    expect(before).toEqual(['1970-01-01T00:30:00.000Z']);
    expect(await jobs()).toEqual([]);
  });

  it('counts for its full time again after a restart, although only memory knew that it continued', async () => {
    const clock = fakeClock();
    const first = await start({ clock });
    const until = () => ({ until: isoAt(clock.now() + hour / 2) });
    await first.busy('b', until());
    for (const _ of [1, 2, 3]) {
      clock.pass(20 * 60_000);
      await first.busy('b', until());
    }
    await first.stop();

    const second = await start({ clock, previous: first });
    const [restarted] = (await second.client.holds()).holds;
    clock.pass(29 * 60_000);
    const [still] = await second.cycle('b');
    clock.pass(2 * 60_000);
    const [over] = await second.cycle('b');

    expect(restarted).toMatchObject({ since: '2026-11-20T12:00:00.000Z', by: 'bob' });
    expect([still?.outcome, over?.outcome]).toEqual(['busy', 'on']);
  });

  it('that has ended does not count again after a restart, and neither does one that ran out', async () => {
    const clock = fakeClock();
    const first = await start({ clock });
    await first.busy('b');
    await first.busy('c');
    await first.bob.endBusy({ params: { name: 'b' } });
    clock.pass(3 * hour);
    await expect
      .poll(() => first.logged().filter(({ msg }) => msg === 'hold ended'))
      .toHaveLength(1);
    await first.stop();

    const second = await start({ clock, previous: first });

    expect((await second.client.holds()).holds).toEqual([]);
  });

  it('that is prolonged beyond its first time counts for the longer one after a restart', async () => {
    const clock = fakeClock();
    const first = await start({ clock });
    await first.busy('b', { until: isoAt(clock.now() + 60_000) });
    await first.busy('b', { until: isoAt(clock.now() + 10 * hour) });
    await first.stop();

    const second = await start({ clock, previous: first });
    clock.pass(9 * hour);

    expect((await second.client.holds()).holds).toMatchObject([{ target: 'b' }]);
  });

  it('is overdue after a day, however often it continues', async () => {
    const clock = fakeClock();
    const { busy, client } = await start({ clock });
    await busy('b');
    for (let hours = 0; hours < 23; hours += 1) {
      clock.pass(hour);
      await busy('b');
    }
    const before = (await client.holds()).holds;
    clock.pass(hour);

    expect(before[0]).not.toHaveProperty('overdue');
    const { machines } = await client.machines({ query: { name: 'b' } });
    expect(machines[0]?.busy).toMatchObject([{ by: 'bob', overdue: true }]);
  });

  it('is recorded when it begins and ends, and not when it continues', async () => {
    const { busy, bob, stateDir } = await start();
    await busy('b', { job: '7' });
    for (const _ of [1, 2, 3]) await busy('b', { job: '7' });
    await bob.endBusy({ params: { name: 'b' }, query: { job: '7' } });

    const entries = await audited(stateDir);
    const own = entries.filter(({ what }) => what === 'setBusy' || what === 'endBusy');
    expect(
      own.map(({ what, who, target, why, outcome }) => [what, who, target, why, outcome]),
    ).toEqual([
      ['setBusy', 'bob', 'b', 'nightly', 'begun'],
      ['setBusy', 'bob', 'b', 'nightly', 'done'],
      ['endBusy', 'bob', 'b', undefined, 'begun'],
      ['endBusy', 'bob', 'b', undefined, 'done'],
    ]);
  });
});

describe('automatic repair', () => {
  const settings = '    repair: { enabled: true, internet: { enabled: true } }';

  it.each([
    ['that continues', false],
    ['after job, each of which ends before the next one begins', true],
  ])('waits for 25 hours, not longer, for a job %s', async (_how, ends) => {
    const lab = await startRepairLab({ yaml, settings });
    const bob = await colleagueOf(lab);
    const params = { name: 'b' };
    const again = async () => {
      if (ends) await bob.endBusy({ params });
      await bob.setBusy({ params, body: { text: 'nightly' } });
    };
    await bob.setBusy({ params, body: { text: 'nightly' } });
    for (let hours = 1; hours < 25; hours += 1) {
      lab.clock.pass(hour);
      await again();
    }
    await lab.hear('b', 30);
    const before = await lab.cycles();
    lab.clock.pass(hour);
    await again();
    await lab.hear('b', 90);
    await lab.untilCycled(1);

    expect(before).toEqual([]);
    expect(await lab.cycles()).toMatchObject([{ target: 'b', origin: 'repair', outcome: 'on' }]);
  });

  it('of a silent router names the jobs behind it', async () => {
    const behind = `
equipment:
  router: { model: edgeos, address: 127.0.2.9, ports: { ssh: 1 }, uplink: internet, power: switch-1/5 }
  switch-1: { model: edgeswitch, address: 127.0.2.1, ports: { ssh: 1 } }
machines:
  b: { kind: host, power: switch-1/1, uplink: router/eth1 }
`;
    const seen = `    seenBackSeconds: 1\n${settings}`;
    const lab = await startRepairLab({ yaml: behind, settings: seen });
    const bob = await colleagueOf(lab);
    await bob.setBusy({ params: { name: 'b' }, body: { text: 'nightly' } });

    await lab.silentFor(16);
    await lab.untilCycled(1);

    const [cycle] = await lab.cycles();
    expect(cycle).toMatchObject({ origin: 'internet', target: 'router' });
    expect(cycle?.detail).toContain('this ended a job: b is busy: nightly (bob');
    await expect
      .poll(async () => (await audited(lab.stateDir)).at(-1)?.outcome)
      .toContain('b is busy: nightly (bob');
  });
});

describe('any order of jobs, cycles and restarts', () => {
  const step = fc.oneof(
    fc.record({
      do: fc.constant('busy' as const),
      who: fc.nat(1),
      name: fc.constantFrom('b', 'c', 'd-1'),
    }),
    fc.record({
      do: fc.constant('end' as const),
      who: fc.nat(1),
      name: fc.constantFrom('b', 'c', 'd-1'),
    }),
    fc.record({
      do: fc.constant('cycle' as const),
      name: fc.constantFrom('b', 'c', 'pdu-1/1', 'pdu-2/2', 'd-1'),
    }),
    fc.record({ do: fc.constant('wait' as const), ms: fc.nat(30) }),
    fc.record({ do: fc.constant('restart' as const) }),
  );

  it('turns off no busy machine without force', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 14 }), async (steps) => {
        const settings = '    atOncePerController: 2';
        let daemon = await startDaemon({ yaml, settings });
        const { boards } = daemon;
        const tokens: string[] = [];
        for (const name of ['job-0', 'job-1']) {
          const about = { name, role: 'operate', expiresInDays: 1 } as const;
          tokens.push(await newToken(join(daemon.dir, 'tokens.yaml'), about));
        }
        const clientsOf = ({ url: baseUrl }: TestDaemon) =>
          tokens.map((token) =>
            createClient(powerCycleDaemonApi, { baseUrl, token, timeoutMs: clientTimeoutMs }),
          );
        let holders = clientsOf(daemon);
        /** Acknowledged, and not yet said to have ended. */
        const running = new Set<string>();
        const wrong: string[] = [];
        const fed: Record<string, string[]> = { 'pdu-1/1': ['b'], 'pdu-1/3': ['d-1'] };
        for (const name of ['pdu-1', 'pdu-2']) {
          boards.get(name).outlets.on('change', ({ outlet, on }) => {
            if (on) return;
            const isDark =
              !boards.get('pdu-1').outlets.isOn('2') && !boards.get('pdu-2').outlets.isOn('2');
            const off = [
              ...(fed[`${name}/${outlet}`] ?? []),
              ...(outlet === '2' && isDark ? ['c'] : []),
            ];
            wrong.push(
              ...[...running].filter((job) => off.some((each) => job.endsWith(` ${each}`))),
            );
          });
        }
        const asked: Promise<unknown>[] = [];
        for (const each of steps) {
          if (each.do === 'busy') {
            const { who, name } = each;
            const said = holders[who]?.setBusy({ params: { name }, body: { text: 'job' } });
            asked.push(
              Promise.resolve(said)
                .then(() => running.add(`${who} ${name}`))
                .catch(() => undefined),
            );
          } else if (each.do === 'end') {
            const { who, name } = each;
            // One that is on its way may arrive later.
            await Promise.all(asked.splice(0));
            running.delete(`${who} ${name}`);
            await holders[who]?.endBusy({ params: { name } }).catch(() => undefined);
          } else if (each.do === 'cycle') {
            asked.push(daemon.requests(each.name, { offSeconds: 0.5 }).catch(() => undefined));
          } else if (each.do === 'wait') await sleep(each.ms);
          else {
            await Promise.all(asked.splice(0));
            await daemon.stop();
            daemon = await startDaemon({ yaml, settings, previous: daemon });
            holders = clientsOf(daemon);
          }
        }
        await Promise.all(asked);
        await expect
          .poll(async () => (await daemon.client.cycles({ query: { state: 'queued' } })).cycles)
          .toEqual([]);
        await daemon.stop();

        expect(wrong).toEqual([]);
      }),
      runs(8),
    );
  });
});
