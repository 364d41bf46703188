/** Cycles from the request to the outcome, through the API, on devices in memory. */
import { createServer } from 'node:http';
import type { PowerCycle } from '@skolo/api';
import { listen } from '@skolo/base/testing';
import type { DriverKind } from '@skolo/equipment/models/outlets';
import { mega4, raspberryPi4 } from '@skolo/simulators';
import { describe, expect, it } from 'vitest';
import { Boards } from '../testing/board-driver.ts';
import {
  boardDrivers,
  boardRack,
  type DaemonOptions,
  startDaemon,
  type TestDaemon,
} from '../testing/daemon.ts';
import { plugIn } from '../testing/machine.ts';
import { waitUntil } from '../testing/wait-until.ts';

const yaml = `${boardRack}  f-[1-4]: { kind: rpi, power: 'switch-1/[11-14]', offSeconds: 0.5 }
`;
const largeRack = yaml.replace(
  'machines:',
  `  pdu-3: { model: apc-rpdu, address: 127.0.2.4, outlets: 48 }
  pdu-4: { model: apc-rpdu, address: 127.0.2.5, outlets: 48 }
machines:`,
);
const checked = 'check: no agent can report whether a task is running';

function texts({ steps }: Pick<PowerCycle, 'steps'>): string[] {
  return steps.map(({ step, text }) => `${step}: ${text}`);
}

/** Outlets with a pending on. */
async function pendingOns({ client }: TestDaemon): Promise<string[]> {
  const { outlets } = await client.outlets();
  return outlets.filter(({ pendingOnSince }) => pendingOnSince).map(({ outlet }) => outlet);
}

/** A daemon, and a machine `m` on the given outlets that it can see. */
async function withMachine(
  power: readonly string[],
  options: Parameters<typeof plugIn>[3] &
    Pick<DaemonOptions, 'settings' | 'lookMs' | 'patienceMs'> = {},
) {
  const { settings = '', lookMs, patienceMs, ...own } = options;
  const boards = new Boards();
  const machine = await plugIn(boards, 'm', power, { host: '127.0.1.1', ...own });
  const daemon = await startDaemon({
    yaml: `${yaml}  m: ${machine.entry}\n`,
    boards,
    settings,
    ...(lookMs && { lookMs }),
    ...(patienceMs && { patienceMs }),
  });
  return { ...daemon, daemon, machine };
}

describe('a cycle', () => {
  it('is off, seen off, on as it was, seen on', async () => {
    const daemon = await startDaemon({ yaml });
    daemon.boards.get('pdu-1').outlets.setMode('1', '48v');

    const cycle = await daemon.finished(await daemon.request('b', { mode: 'auto' }));

    expect(cycle).toMatchObject({ target: 'b', outcome: 'on', by: daemon.who });
    expect(daemon.boards.get('pdu-1').told).toEqual(['off 1', 'on 1 48v']);
    expect(texts(cycle)).toEqual([
      checked,
      'soft-reboot: soft reboot failed: rack.yaml does not specify an SSH login for the machine',
      'contact: pdu-1/1 is on',
      'turn-off: pdu-1/1 is reported as off',
      'turn-on: pdu-1/1 is reported as on',
    ]);
    expect(await pendingOns(daemon)).toEqual([]);
  });

  it('is left to a device that cycles by itself, and nothing is pending afterwards', async () => {
    const daemon = await startDaemon({ yaml });

    const cycle = await daemon.finished(await daemon.request('a'));

    expect(cycle.outcome).toBe('on');
    expect(daemon.boards.get('switch-1').told).toEqual(['cycle 1']);
    expect(texts(cycle)).toEqual([
      checked,
      'contact: switch-1/1 is on',
      'turn-off: switch-1/1 is reported as off; switch-1 turns it on automatically',
      'turn-on: switch-1/1 is reported as on',
    ]);
    expect(await pendingOns(daemon)).toEqual([]);
  });

  it('takes the time that is set on the device where the request gives none', async () => {
    const daemon = await startDaemon({ yaml });

    const usual = await daemon.finished(await daemon.request('d'));
    const told = await daemon.finished(await daemon.request('d', { offSeconds: 0.5 }));

    expect([usual.outcome, told.outcome]).toEqual(['on', 'on']);
    expect(daemon.boards.get('pdu-2').told).toEqual(['cycle 3', 'off 3', 'on 3 auto']);
  });

  it('turns all feeds off before one is turned on, whatever their devices can do', async () => {
    const daemon = await startDaemon({ yaml });
    const order: string[] = [];
    for (const name of ['pdu-1', 'pdu-2']) {
      daemon.boards.get(name).outlets.on('change', ({ on }) => void order.push(on ? 'on' : 'off'));
    }

    const cycle = await daemon.finished(await daemon.request('c'));

    expect(cycle).toMatchObject({ outcome: 'on', outlets: ['pdu-1/2', 'pdu-2/2'] });
    expect(order).toEqual(['off', 'off', 'on', 'on']);
    expect(daemon.boards.get('pdu-1').told).toEqual(['off 2', 'on 2 auto']);
    expect(daemon.boards.get('pdu-2').told).toEqual(['off 2', 'on 2 auto']);
    expect(texts(cycle).slice(2)).toEqual([
      'turn-off: pdu-1/2 is reported as off, pdu-2/2 is reported as off',
      'turn-on: pdu-1/2 is reported as on, pdu-2/2 is reported as on',
    ]);
  });

  it('reports that off was not verified, with the power on', async () => {
    const daemon = await startDaemon({ yaml });
    daemon.boards.get('pdu-1').ignores = 'off';

    const cycle = await daemon.finished(await daemon.request('b'));

    const detail = 'the outlet is not reported as off: pdu-1/1 is still on';
    expect(cycle).toMatchObject({ outcome: 'failed', failedStep: 'turn-off', detail });
    // An off may still be on its way: that it reads on is not enough.
    expect(daemon.boards.get('pdu-1').told).toEqual(['off 1', 'off 1', 'off 1', 'on 1 auto']);
    expect(texts(cycle).slice(2)).toEqual([
      `turn-off: ${detail}`,
      'turn-on: pdu-1/1 is reported as on',
    ]);
    expect(await pendingOns(daemon)).toEqual([]);
  });

  it('turns both feeds on again where one could not be seen off', async () => {
    const daemon = await startDaemon({ yaml });
    daemon.boards.get('pdu-2').ignores = 'off';

    const cycle = await daemon.finished(await daemon.request('c'));

    const detail = 'the outlet is not reported as off: pdu-2/2 is still on';
    expect(cycle).toMatchObject({ outcome: 'failed', failedStep: 'turn-off', detail });
    expect(daemon.boards.get('pdu-1').told).toEqual(['off 2', 'on 2 auto']);
    expect(await pendingOns(daemon)).toEqual([]);
  });

  it('turns both feeds on in time where one says nothing while it is off', async () => {
    const daemon = await startDaemon({ yaml });
    const board = daemon.boards.get('pdu-2');
    board.outlets.on('change', ({ on }) => {
      board.tellsNothing = !on;
    });

    const cycle = await daemon.finished(await daemon.request('c'));

    expect(cycle).toMatchObject({ outcome: 'failed', failedStep: 'turn-off' });
    expect(cycle.detail).toMatch(/^pdu-2\/2: .+; the outlet was never reported as off$/);
    for (const pdu of ['pdu-1', 'pdu-2']) {
      expect(daemon.boards.get(pdu).told).toEqual(['off 2', 'on 2 auto']);
    }
    expect(await pendingOns(daemon)).toEqual([]);
  });

  it('succeeds where the device says nothing while it is off, and the machine was seen down', async () => {
    const { daemon } = await withMachine(['pdu-1/20']);
    const board = daemon.boards.get('pdu-1');
    board.outlets.on('change', ({ on }) => {
      board.tellsNothing = !on;
    });

    const cycle = await daemon.finished(await daemon.request('m', { offSeconds: 0.5 }));

    expect(cycle).toMatchObject({ outcome: 'back' });
    expect(cycle.detail).toMatch(/confirms that the power was off$/);
    expect(board.told).toEqual(['off 20', 'on 20 auto']);
  });

  it('goes step by step where the device rejects its own cycle', async () => {
    const daemon = await startDaemon({ yaml });
    const board = daemon.boards.get('switch-1');
    board.rejectsCycles = true;

    const cycle = await daemon.finished(await daemon.request('a'));

    expect(cycle.outcome).toBe('on');
    expect(board.told).toEqual(['off 1', 'on 1 auto']);
    expect(texts(cycle)).toContainEqual(
      expect.stringMatching(/no such command.*; continuing step by step$/),
    );
  });

  it('is not done a second time where the device took its own cycle and was never seen off', async () => {
    const daemon = await startDaemon({ yaml });
    const board = daemon.boards.get('switch-1');
    board.ignores = 'off';

    const cycle = await daemon.finished(await daemon.request('a'));

    expect(cycle).toMatchObject({ outcome: 'failed', failedStep: 'turn-off' });
    expect(cycle.detail).toBe('switch-1/1 is still on; the outlet was never reported as off');
    expect(board.told).toEqual(['cycle 1', 'on 1 auto']);
  });

  it('turns on what the device left off', async () => {
    const daemon = await startDaemon({ yaml });
    const board = daemon.boards.get('switch-1');
    board.ignores = 'on';

    const id = await daemon.request('a');
    await daemon.until(id, ({ step }) => step === 'turn-on');
    board.ignores = undefined;
    const cycle = await daemon.finished(id);

    expect(cycle.outcome).toBe('on');
    expect(board.outlets.isOn('1')).toBe(true);
    expect(texts(cycle)).toContainEqual(
      expect.stringContaining(
        'switch-1 did not turn the outlet on in time: switch-1/1 is still off',
      ),
    );
  });

  it('is stuck off where on cannot be verified, tried for ever, and well again at last', async () => {
    const daemon = await startDaemon({ yaml });
    const board = daemon.boards.get('pdu-1');
    board.ignores = 'on';

    const cycle = await daemon.finished(await daemon.request('b'));
    const stuck = await daemon.client.outlets();
    const degraded = await daemon.degraded();
    const again = await daemon.request('b').catch((error: Error) => error.message);
    board.ignores = undefined;
    await waitUntil(async () => ((await pendingOns(daemon)).length === 0 ? true : undefined));

    expect(cycle).toMatchObject({ outcome: 'stuck-off' });
    expect(cycle.detail).toBe(
      'pdu-1/1 could not be verified as on: pdu-1/1 is still off; retries continue',
    );
    expect(stuck.outlets.find(({ outlet }) => outlet === 'pdu-1/1')).toMatchObject({
      stuckOff: true,
      pendingOnSince: expect.any(String),
    });
    expect(degraded).toEqual([
      expect.objectContaining({
        what: 'outlet pdu-1/1',
        why: 'stuck off: pdu-1/1 is still off',
      }),
    ]);
    expect(again).toContain('is still being turned on');
    expect(board.outlets.isOn('1')).toBe(true);
    await expect
      .poll(async () => {
        const { outlets } = await daemon.client.outlets();
        return outlets.find(({ outlet }) => outlet === 'pdu-1/1')?.stuckOff;
      })
      .toBe(false);
    expect((await daemon.client.cycle({ params: { id: cycle.id } })).outcome).toBe('stuck-off');
  });

  it('is not begun on a device that does not report what is on', async () => {
    const daemon = await startDaemon({ yaml });
    daemon.boards.get('pdu-1').tellsNothing = true;

    const cycle = await daemon.finished(await daemon.request('b'));

    const detail = 'pdu-1/1: the controller does not report whether this outlet is on';
    expect(cycle).toMatchObject({ outcome: 'failed', failedStep: 'contact', detail });
    expect(daemon.boards.get('pdu-1').told).toEqual([]);
  });

  it('is not begun where its controller does not respond, which delays no other', async () => {
    const daemon = await startDaemon({ yaml });
    daemon.boards.get('pdu-1').isDown = true;

    const dead = await daemon.request('e-[1-8]');
    const other = await daemon.finished(await daemon.request('a'));
    const cycle = await daemon.finished(dead);
    const { controllers } = await daemon.client.controllers();

    expect(other.outcome).toBe('on');
    const detail = 'pdu-1: connection refused';
    expect(cycle).toMatchObject({ outcome: 'failed', failedStep: 'contact', detail });
    expect(texts(cycle)).toEqual([
      checked,
      'contact: pdu-1: connection refused; retrying',
      'contact: pdu-1: connection refused',
    ]);
    expect(controllers.find(({ name }) => name === 'pdu-1')).toMatchObject({
      state: 'down',
      detail: 'connection refused',
    });
  });

  it('waits alone for a controller that is wedged, however many do', async () => {
    const many = `${largeRack}  g-[01-40]: { kind: host, power: 'pdu-3/[1-40]' }
  h-[01-40]: { kind: host, power: 'pdu-4/[1-40]' }
`;
    const daemon = await startDaemon({ yaml: many });
    daemon.boards.get('pdu-3').isWedged = true;
    daemon.boards.get('pdu-4').isWedged = true;

    await daemon.requests(['g-[01-40]', 'h-[01-40]']);
    const other = await daemon.finished(await daemon.request('a'));
    const { cycles } = await daemon.client.cycles({ query: { state: 'running' } });

    expect(other.outcome).toBe('on');
    expect(cycles).toHaveLength(80);
    expect(new Set(cycles.map(({ step }) => step))).toEqual(new Set(['contact']));
  });

  it('comes to its end, with the power on, also through a bug of ours', async () => {
    const boards = new Boards();
    const kind = boards.kind('apc-rpdu');
    const broken: DriverKind = {
      ...kind,
      create: (device, deps) =>
        Object.defineProperty(kind.create(device, deps), 'nativeCycle', {
          get: () => {
            throw new TypeError('x is not a function');
          },
        }),
    };
    const daemon = await startDaemon({
      yaml,
      boards,
      drivers: new Map([...boardDrivers(boards), ['apc-rpdu', broken]]),
    });

    const cycle = await daemon.finished(await daemon.request('b'));

    const detail = 'a bug in the daemon: x is not a function';
    expect(cycle).toMatchObject({ outcome: 'failed', failedStep: 'turn-off', detail });
    expect(boards.get('pdu-1').outlets.isOn('1')).toBe(true);
    expect(await pendingOns(daemon)).toEqual([]);
  });

  it('draws no more current at once than rack.yaml allows', async () => {
    const daemon = await startDaemon({
      yaml,
      settings: '    atOncePerController: 2\n    atOnce: 3',
    });
    let most = { 'pdu-1': 0, 'switch-1': 0, rack: 0 };
    const off = { 'pdu-1': 0, 'switch-1': 0 };
    for (const name of ['pdu-1', 'switch-1'] as const) {
      daemon.boards.get(name).outlets.on('change', ({ on }) => {
        off[name] += on ? -1 : 1;
        most = {
          'pdu-1': Math.max(most['pdu-1'], off['pdu-1']),
          'switch-1': Math.max(most['switch-1'], off['switch-1']),
          rack: Math.max(most.rack, off['pdu-1'] + off['switch-1']),
        };
      });
    }

    const done = await daemon.cycle(['e-[1-8]', 'f-[1-4]']);

    expect(done.map(({ outcome }) => outcome)).toEqual(done.map(() => 'on'));
    expect(most).toMatchObject({ 'pdu-1': 2, rack: 3 });
    expect(most['switch-1']).toBeLessThanOrEqual(2);
  });

  it('asks 64 machines at once, and the others as soon as these have answered', async () => {
    const busy = '{ "machine": "g-01", "task": { "running": true }, "devices": [] }';
    const waiting: (() => void)[] = [];
    let most = 0;
    const agents = createServer((_request, response) => {
      waiting.push(() => response.end(busy));
      most = Math.max(most, waiting.length);
    });
    const url = `http://127.0.0.1:${await listen(agents)}`;
    const agent = `kind: rpi, swarming: { url: ${url} }`;
    const many = `${largeRack}  g-[01-40]: { ${agent}, address: '127.0.3.[1-40]', power: 'pdu-3/[1-40]' }
  h-[01-40]: { ${agent}, address: '127.0.4.[1-40]', power: 'pdu-4/[1-40]' }
`;
    const daemon = await startDaemon({ yaml: many });

    const ids = await daemon.requests(['g-[01-40]', 'h-[01-40]']);
    for (const count of [64, 16]) {
      await expect.poll(() => waiting.length).toBe(count);
      for (const answer of waiting.splice(0)) answer();
    }
    const done = await Promise.all(ids.map((id) => daemon.finished(id)));

    expect(most).toBe(64);
    expect(new Set(done.map(({ outcome }) => outcome))).toEqual(new Set(['busy']));
  });

  it('that waits for its turn is not cut while its controller is down', async () => {
    const daemon = await startDaemon({
      yaml: yaml.replace(/offSeconds: 0.5 }\n {2}f-/, 'offSeconds: 20 }\n  f-'),
      settings: '    atOncePerController: 1',
    });
    const board = daemon.boards.get('pdu-1');

    const [id = '', ...others] = await daemon.requests(['e-[1-3]']);
    await daemon.until(id, ({ step }) => step === 'off');
    board.isDown = true;
    // Somebody looks, and so it is known.
    await daemon.cycle('e-4');
    const waited = await Promise.all(others.map((other) => daemon.finished(other)));
    board.isDown = false;
    const first = await daemon.finished(id);

    expect(waited).toMatchObject([
      { outcome: 'failed', failedStep: 'contact' },
      { outcome: 'failed', failedStep: 'contact' },
    ]);
    expect(first.outcome).toBe('on');
    expect(board.told).toEqual(['off 11', 'on 11 auto']);
  });
});

describe('a machine', () => {
  it('is back when it was seen down and answers again', async () => {
    const { daemon, machine, finished } = await withMachine(['switch-1/9'], { agentPort: false });

    const cycle = await finished(await daemon.request('m'));

    expect(cycle.outcome).toBe('back');
    expect(machine.boots).toBe(2);
    expect(texts(cycle)).toContainEqual(
      expect.stringMatching(/: confirmed down: connections are refused at /),
    );
    expect(cycle.detail).toMatch(
      /^back after \d+ s: SSH is responding at 127\.0\.1\.1:\d+, after it refused connections for \d+ s$/,
    );
  });

  it('is asked by its agent to reboot itself, before its outlet is touched', async () => {
    const { daemon, machine, finished, boards } = await withMachine(['switch-1/9']);

    const cycle = await finished(await daemon.request('m', { mode: 'auto' }));

    expect(cycle.outcome).toBe('back');
    expect(boards.get('switch-1').told).toEqual([]);
    expect(machine.received.filter(({ text }) => text.startsWith('POST'))).toHaveLength(1);
    expect(texts(cycle).slice(0, 2)).toEqual([
      'check: no task is running',
      'soft-reboot: reboot requested from its agent',
    ]);
  });

  it('that accepts and hangs is cut', async () => {
    const { daemon, machine, finished, boards } = await withMachine(['switch-1/9'], {
      settings: '    softSeconds: 1',
    });
    await machine.misbehave('hangs-at-reboot');

    const cycle = await finished(await daemon.request('m', { mode: 'auto' }));

    expect(cycle.outcome).toBe('back');
    expect(boards.get('switch-1').told).toEqual(['cycle 9']);
    expect(texts(cycle)).toContain('soft-reboot: did not go down within 1 s');
  });

  it('that is dead is not asked first', async () => {
    const { daemon, machine, finished, boards } = await withMachine(['switch-1/9']);
    await machine.misbehave('dead');

    const cycle = await finished(await daemon.request('m', { mode: 'auto' }));

    expect(cycle.outcome).toBe('back');
    expect(boards.get('switch-1').told).toEqual(['cycle 9']);
    expect(texts(cycle)[1]).toMatch(
      /^soft-reboot: no soft reboot, because the machine is unreachable/,
    );
  });

  it('that runs a task is left alone, unless forced', async () => {
    const { daemon, machine, finished, boards } = await withMachine(['switch-1/9']);
    machine.task = { running: true, id: '6f1c' };

    const busy = await finished(await daemon.request('m'));
    const forced = await finished(await daemon.request('m', { force: true }));

    expect(busy).toMatchObject({ outcome: 'busy', detail: 'task 6f1c is running' });
    expect(forced.outcome).toBe('back');
    expect(boards.get('switch-1').told).toEqual(['cycle 9']);
  });

  it('whose agent is silent counts as not busy, and that is reported', async () => {
    const { daemon, machine, finished } = await withMachine(['switch-1/9'], {
      settings: '    taskCheckSeconds: 0.2',
      isRelayed: true,
    });
    machine.relays?.agent.inject({ effect: 'silence' });

    const cycle = await finished(await daemon.request('m'));

    expect(cycle.outcome).toBe('back');
    expect(texts(cycle)[0]).toBe('check: the agent did not respond, which counts as idle');
  });

  it.each([
    ['as its boot tells', {}, 'but the machine has not rebooted'],
    ['since nobody saw it down', { agentPort: false }, 'but the target was never down'],
  ] as const)('that never went down is not back, %s', async (_name, options, why) => {
    const { daemon, machine, finished } = await withMachine(['pdu-1/9'], options);
    await machine.misbehave('ignores-power');

    const cycle = await finished(await daemon.request('m'));

    expect(cycle).toMatchObject({ outcome: 'failed', failedStep: 'see-back' });
    expect(cycle.detail).toContain(`${why}; check that pdu-1/9 powers m`);
  });

  it.each([
    ['went down and came back', undefined, {}, { outcome: 'back' }],
    // Slower than the device: were it first looked at when the command is sent, nobody had seen it up.
    ['answered slowly, went down and came back', 100, {}, { outcome: 'back' }],
    [
      'stayed up',
      undefined,
      { ignores: 'off' as const },
      { outcome: 'failed', failedStep: 'turn-off' },
    ],
  ] as const)(
    'that %s tells what a device that cycled by itself does not',
    async (_how, milliseconds, fault, expected) => {
      const { daemon, machine, finished, boards } = await withMachine(['switch-1/20'], {
        agentPort: false,
        isRelayed: true,
        more: 'device: { kind: android, power: usb/1-1.2 }',
      });
      Object.assign(boards.get('switch-1'), { showsOn: true }, fault);
      if (milliseconds !== undefined) machine.relays?.ssh.inject({ effect: 'wait', milliseconds });

      const cycle = await finished(await daemon.request('m'));

      expect(cycle).toMatchObject(expected);
      expect(cycle.detail).toContain(
        expected.outcome === 'back'
          ? 'an observed outage confirms that the power was off'
          : 'the outlet was never reported as off',
      );
      expect(boards.get('switch-1').told.filter((each) => each.startsWith('cycle'))).toHaveLength(
        1,
      );
      expect(machine.boots).toBe(expected.outcome === 'back' ? 2 : 1);
    },
  );

  it('that was only silent for a moment is not back either', async () => {
    const { daemon, machine, finished, until } = await withMachine(['pdu-1/9'], {
      isRelayed: true,
      lookMs: 500,
    });
    await machine.misbehave('ignores-power');

    const id = await daemon.request('m');
    const silence = machine.relays?.ssh.inject({ effect: 'silence' });
    await until(id, ({ steps }) => steps.some(({ step }) => step === 'turn-on'));
    silence?.end();
    const cycle = await finished(id);

    expect(cycle).toMatchObject({ outcome: 'failed', failedStep: 'see-back' });
    expect(cycle.steps.map(({ text }) => text)).not.toContainEqual(
      expect.stringContaining('confirmed down'),
    );
  });

  it('that does not come back has failed, with its power on', async () => {
    const { daemon, machine, finished, boards } = await withMachine(['pdu-1/9'], {
      timeoutSeconds: 1,
    });
    await machine.misbehave('never-boots');

    const cycle = await finished(await daemon.request('m'));

    expect(cycle).toMatchObject({ outcome: 'failed', failedStep: 'see-back' });
    expect(cycle.detail).toMatch(/^not back within 1 s: connections are refused at/);
    expect(boards.get('pdu-1').outlets.isOn('9')).toBe(true);
  });

  it('on two feeds goes down only when both are off', async () => {
    const { daemon, machine, finished } = await withMachine(['pdu-1/9', 'pdu-2/9']);

    const cycle = await finished(await daemon.request('m'));

    expect(cycle.outcome).toBe('back');
    expect(machine.boots).toBe(2);
  });
});

describe('a phone', () => {
  const phones = {
    phones: [{ name: 'device', port: 'usb/1-1.2' }],
    more: 'device: { kind: android, power: usb/1-1.2 }',
    patienceMs: 15_000,
  };
  /** A computer that stalls reads its hub within this time, too. */
  const long = { offSeconds: 15 };

  it('is cut at a port of its machine’s own hub, and back when the agent sees it', async () => {
    const { daemon, machine, finished } = await withMachine(['switch-1/9'], phones);
    const changes: string[] = [];
    machine.usb.on('change', ({ outlet, on }) => void changes.push(`${outlet} ${on}`));

    const cycle = await finished(await daemon.request('m-device', { ...long, mode: 'auto' }));

    expect(cycle).toMatchObject({ outcome: 'back', outlets: ['m/usb/1-1.2'] });
    const all = [1, 2, 3, 4].map((port) => `usb/1-1.${port}`);
    expect(changes).toEqual([
      ...all.map((port) => `${port} false`),
      ...all.map((port) => `${port} true`),
    ]);
    expect(machine.boots).toBe(1);
    expect(texts(cycle)[1]).toBe(
      'soft-reboot: no soft reboot, because the target is not a machine',
    );
    expect(cycle.detail).toMatch(
      /^back: the agent detected the phone after \d+ s; a newer USB connection confirms that the power was off$/,
    );
  });

  const noPower = {
    outcome: 'failed',
    failedStep: 'turn-off',
    detail:
      'm/usb/1-1.2 is reported as off by its hub, which does not confirm that the phone lost power',
  };
  const deceptive = { ...mega4, location: '1-1', ports: 5 };

  it.each([
    {
      title: 'whose hub keeps the power',
      hubs: [{ ...deceptive, together: { ports: [1, 2, 3, 4], switchedBy: [5] } }],
    },
    {
      title: 'whose port alone is turned off, of a Raspberry Pi 4',
      hubs: [raspberryPi4],
      alone: true,
    },
    {
      title: 'whose port alone is turned off, of a hub with switches',
      hubs: [deceptive],
      alone: true,
      outcome: { outcome: 'back' },
    },
  ])(
    'that is seen again counts as cut only by its own connection: $title',
    async ({ hubs, alone = false, outcome = noPower }) => {
      const { daemon, machine, finished } = await withMachine(['switch-1/9'], { ...phones, hubs });

      const cycle = await finished(await daemon.request('m-device', { ...long, alone }));

      expect(cycle).toMatchObject(outcome);
      expect(machine.usb.names().filter((port) => !machine.usb.isOn(port))).toEqual([]);
    },
  );

  it('that reports while its port is off that it does not charge was cut', async () => {
    const { daemon, machine, finished } = await withMachine(['switch-1/9'], {
      ...phones,
      phones: [{ name: 'device' }],
    });
    const told = (charging: boolean) => {
      const device = { batteryPercent: 50, temperaturesCelsius: {}, charging };
      machine.report = { reasons: [], repairs: [], phones: { device } };
    };
    machine.usb.on('change', ({ outlet, on }) => outlet === 'usb/1-1.2' && told(on));

    const cycle = await finished(await daemon.request('m-device', long));

    expect(cycle.outcome).toBe('back');
    expect(cycle.detail).toContain('an observed outage confirms that the power was off');
  });

  it('that did not charge before proves nothing by that', async () => {
    const { daemon, machine, finished } = await withMachine(['switch-1/9'], {
      ...phones,
      phones: [{ name: 'device' }],
    });
    const device = { batteryPercent: 50, temperaturesCelsius: {}, charging: false };
    machine.report = { reasons: [], repairs: [], phones: { device } };

    expect(await finished(await daemon.request('m-device', long))).toMatchObject(noPower);
  });

  it('whose port alone is off is on again after a crash, and its connection still counts', async () => {
    const { daemon, machine } = await withMachine(['switch-1/9'], { ...phones, hubs: [deceptive] });
    const id = await daemon.request('m-device', { alone: true, offSeconds: 60 });
    await daemon.until(id, ({ step }) => step === 'off');
    await daemon.stop();
    const wasOff = machine.usb.names().filter((port) => !machine.usb.isOn(port));

    const next = await startDaemon({ yaml: `${yaml}  m: ${machine.entry}\n`, previous: daemon });

    expect(wasOff).toEqual(['usb/1-1.2']);
    expect(await next.finished(id)).toMatchObject({
      outcome: 'back',
      detail: expect.stringContaining('a newer USB connection confirms that the power was off'),
    });
    expect(machine.usb.isOn('usb/1-1.2')).toBe(true);
  });

  it('that an operator turns off is off by what its hub reports', async () => {
    const { daemon } = await withMachine(['switch-1/9'], phones);

    const { detail } = noPower;
    expect(await daemon.turn('off', 'm-device')).toMatchObject({ outcome: 'off', detail });
  });

  it('is not cut while its machine runs a task', async () => {
    const { daemon, machine, finished } = await withMachine(['switch-1/9'], phones);
    machine.task = { running: true };

    expect((await finished(await daemon.request('m-device', long))).outcome).toBe('busy');
    expect(machine.usb.isOn('usb/1-1.2')).toBe(true);
  });

  it('that stays away has failed', async () => {
    const { daemon, machine, finished } = await withMachine(['switch-1/9'], {
      ...phones,
      timeoutSeconds: 1,
    });
    for (const phone of machine.phones) phone.works = false;

    const cycle = await finished(await daemon.request('m-device', long));

    expect(cycle).toMatchObject({ outcome: 'failed', failedStep: 'see-back' });
    expect(cycle.detail).toBe('not back within 1 s: the agent reports the phone as missing');
  });

  it('on a hub that does not obey is not reported as off', async () => {
    const { daemon, machine, finished } = await withMachine(['switch-1/9'], {
      ...phones,
      settings: '    tries: { off: 1 }',
    });
    await machine.misbehave('usb-ignored');

    const cycle = await finished(await daemon.request('m-device', long));

    expect(cycle).toMatchObject({ outcome: 'failed', failedStep: 'turn-off' });
    expect(cycle.detail).toContain('m/usb/1-1.2 is still on');
  });
});
