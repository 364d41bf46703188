import { request } from '@skolo/base/request';
import { createEvents, HttpProblem } from '@skolo/common/light';
import { fakeClock } from '@skolo/common/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { AttachedDevice, Device, DeviceRepair, DeviceView } from '../devices/device.ts';
import type { AgentEvent } from '../events.ts';
import { assess } from '../health/assess.ts';
import type { Hold } from '../health/health.ts';
import { facts, gone, phone, settings } from '../health/testing/facts.ts';
import { UsbPorts } from '../host/usb.ts';
import { accepted, startDaemon } from '../testing/daemon.ts';
import { fakeHub } from '../testing/fake-hub.ts';
import { quietLog } from '../testing/quiet-log.ts';
import { Repairs, type RepairTarget } from './repairs.ts';

const attached: AttachedDevice = {
  name: 'phone',
  fullName: 'rpi-1-phone',
  kind: 'android',
  power: { hub: '1-1', port: 2 },
};

interface Options {
  /** What its kind can do; by default each works, and does not help. */
  repairs?: Device['repairs'];
  /** It is on a port of the machine's hub; it is by default. */
  hasPort?: boolean;
  others?: RepairTarget[];
  usbOffSeconds?: number;
}

/** A machine whose phone is gone, with everything that repair talks to. */
async function start({
  repairs: given,
  hasPort = true,
  others = [],
  usbOffSeconds = 0,
}: Options = {}) {
  const clock = fakeClock('2026-11-20T12:00:00Z');
  const daemon = await startDaemon();
  const hub = fakeHub();
  const log = quietLog();
  const events = createEvents<AgentEvent>();
  const done: string[] = [];
  const does = (repair: DeviceRepair) => async () => {
    done.push(repair);
  };
  const { power: _, ...bare } = attached;
  const own = hasPort ? attached : bare;
  const device = {
    repairs: given ?? {
      'adb-reconnect': does('adb-reconnect'),
      'adb-restart': does('adb-restart'),
      'device-reboot': does('device-reboot'),
    },
  };
  const world = {
    view: gone(),
    busy: undefined as string | undefined,
    /** What the next question shows. */
    announced: undefined as string | undefined,
    isAdbWedged: false,
    holds: [] as Hold[],
    whyNotActing: undefined as string | undefined,
    rebooting: new Map<string, Date>(),
    notBack: new Map<string, Date>(),
    looked: 0,
    settings: settings.repair,
    counted: [] as string[],
  };
  const usb = new UsbPorts({ devices: () => [attached], run: hub.run, log, retrySeconds: 0.01 });
  const targets = (): RepairTarget[] => [{ attached: own, device, view: world.view }, ...others];
  const repairs: Repairs = new Repairs({
    settings: () => world.settings,
    targets,
    health: () => {
      const { rebooting, notBack } = world;
      const devices = targets().map(({ view }) => view);
      return assess(undefined, facts({ devices, rebooting, notBack }), settings);
    },
    holds: () => world.holds,
    whyBusy: () => world.busy,
    askWhyBusy: async () => {
      world.busy ??= world.announced;
      return world.busy;
    },
    rebooting: () => world.rebooting,
    stopping: () => false,
    isAdbWedged: () => world.isAdbWedged,
    whyNotActing: () => world.whyNotActing,
    readDevice: () => {
      world.looked += 1;
    },
    usb,
    usbOffSeconds: () => usbOffSeconds,
    powerCycleDaemon: () => daemon.url,
    request,
    clock,
    emit: events.emit,
  });
  events.consume((event) => {
    if (event.type !== 'repair-outcome') return;
    world.counted.push(`${event.repair.step} ${event.repair.outcome}`);
  });
  onTestFinished(async () => {
    await repairs.stop();
    await usb.stop();
  });
  const isUnderWay = () => repairs.view().some(({ outcome }) => outcome === 'under-way');
  const settled = () => expect.poll(isUnderWay).toBe(false);
  /** Time passes, and each step that begins has its time to end. */
  const pass = async (seconds: number) => {
    for (let passed = 0; passed < seconds; passed += 30) {
      repairs.startDue();
      await settled();
      clock.pass(30_000);
    }
    repairs.startDue();
    await settled();
  };
  const tried = () =>
    repairs.view().map(({ round, step, outcome }) => `${round} ${step} ${outcome}`);
  return { clock, daemon, hub, usb, world, repairs, done, pass, tried, log, isUnderWay };
}

const heldBy = (target: string): Hold => ({
  target,
  by: 'ann',
  until: new Date('2027-01-01'),
  reason: 'new cable',
});

function another(device: RepairTarget['device'], view: RepairTarget['view']): RepairTarget {
  const own = { name: 'other', fullName: 'rpi-1-other' };
  return { attached: { ...own, kind: 'android' }, device, view: { ...view, ...own } };
}

describe('a device of a machine that is only observed', () => {
  it('has each step noted, none done, and needs attention as usual', async () => {
    const { repairs, pass, done, hub, daemon, tried, world } = await start();
    world.whyNotActing = 'rack.yaml says so';

    await pass(1000);

    expect([done, hub.switched, daemon.requests]).toEqual([[], [], []]);
    expect(tried()).toHaveLength(10);
    expect(tried().slice(0, 2)).toEqual(['1 adb-reconnect would-have', '1 adb-restart would-have']);
    expect(world.counted).toHaveLength(10);
    expect(repairs.view()[0]).toMatchObject({ text: 'missing: offline' });
    expect(repairs.givenUp().get('phone')).toBe('rack.yaml says so');
  });

  it('is repaired from the first step on once it may be', async () => {
    const { pass, done, world, repairs } = await start();
    world.whyNotActing = 'rack.yaml says so';
    await pass(1000);

    world.whyNotActing = undefined;
    await pass(150);

    expect(repairs.givenUp().size).toBe(0);
    expect(done).toEqual(['adb-reconnect']);
  });

  it('is not repaired by order either', async () => {
    const { repairs, world } = await start();
    world.whyNotActing = 'rack.yaml says so';

    expect(() => repairs.order({ step: 'adb-reconnect', why: 'try' })).toThrow(
      'phone: adb-reconnect not started: rack.yaml says so',
    );
    expect(repairs.view()).toEqual([]);
  });

  it('has a wedged adb server noted with growing pauses', async () => {
    const { pass, tried, world } = await start();
    world.view = phone();
    world.whyNotActing = 'rack.yaml says so';
    world.isAdbWedged = true;

    await pass(300);

    expect(tried().length).toBeLessThan(5);
    expect(new Set(tried())).toEqual(new Set(['1 adb-restart would-have']));
  });

  it('has what others would do to it noted', async () => {
    const { repairs, world } = await start();

    const before = repairs.wouldHave('phone', 'device-reboot', 'after a task');
    world.whyNotActing = 'rack.yaml says so';
    const after = repairs.wouldHave('rpi-1', 'reboot', 'requested by the Swarming bot');

    expect([before, after]).toEqual([false, true]);
    expect(repairs.view()).toMatchObject([
      { device: 'rpi-1', step: 'reboot', outcome: 'would-have' },
    ]);
  });
});

describe('a device that is gone', () => {
  it('is repaired step by step, round by round, until it needs attention', async () => {
    const { repairs, pass, done, hub, daemon, tried, world } = await start();

    await pass(1000);

    expect(done).toEqual([
      ...['adb-reconnect', 'adb-restart', 'device-reboot'],
      ...['adb-reconnect', 'adb-restart', 'device-reboot'],
    ]);
    expect(hub.switched).toEqual([
      'off 1-1.1,2,3,4',
      'on 1-1.1,2,3,4',
      'off 1-1.1,2,3,4',
      'on 1-1.1,2,3,4',
    ]);
    expect(daemon.calls).toHaveLength(2);
    expect(daemon.calls[0]).toMatchObject({ body: { devices: ['phone'] } });
    expect(tried()).toHaveLength(10);
    expect(new Set(tried().map((line) => line.split(' ')[2]))).toEqual(new Set(['no-help']));
    expect(repairs.givenUp().get('phone')).toContain('2 rounds of repair');
    expect(world.counted.filter((each) => each === 'usb-cycle no-help')).toHaveLength(2);
    expect(world.counted).toHaveLength(10);
    expect(world.looked).toBe(10);
  });

  it('is left alone once it is back, and the step that helped is reported', async () => {
    const { repairs, pass, world, tried } = await start();
    await pass(190);

    world.view = phone();
    await pass(1000);

    expect(tried()).toEqual(['1 adb-reconnect no-help', '1 adb-restart helped']);
    expect(repairs.givenUp().size).toBe(0);
  });

  it('needs attention until it is there, or an operator clears it', async () => {
    const { repairs, pass, world } = await start();
    await pass(1000);

    world.view = phone();
    await pass(0);
    const there = repairs.givenUp().size;
    world.view = gone();
    await pass(1000);
    const again = repairs.givenUp().size;
    repairs.restart('phone');

    expect([there, again, repairs.givenUp().size]).toEqual([0, 1, 0]);
  });

  it('is tried with what exists for it', async () => {
    const { pass, tried } = await start({ repairs: {}, hasPort: false });

    await pass(1000);

    expect(tried()).toEqual(['1 power-cycle no-help', '2 power-cycle no-help']);
  });

  it('is tried on when a step fails', async () => {
    const repairs = {
      'adb-reconnect': () => Promise.reject(new Error('error: device offline')),
    };
    const { pass, hub, daemon, tried, repairs: own } = await start({ repairs });
    hub.fault = 'deaf';
    const detail = 'phone is not a device of rpi-1';
    daemon.answers.requestDeviceCycles = new HttpProblem(403, detail);

    await pass(250);

    expect(tried()).toEqual([
      '1 adb-reconnect failed',
      '1 usb-cycle failed',
      '1 power-cycle rejected',
    ]);
    expect(own.view().map(({ text }) => text)).toEqual([
      'error: device offline',
      'USB port 1-1.2: the port was turned off, but is still on',
      'the power-cycle daemon: phone is not a device of rpi-1 (403)',
    ]);
  });

  it('is cycled later where the daemon requests that', async () => {
    const { pass, daemon, tried } = await start({ repairs: {}, hasPort: false });
    const headers = { 'retry-after': '600' };
    daemon.answers.requestDeviceCycles = new HttpProblem(429, 'too often', { headers });

    await pass(600);
    const early = daemon.requests.length;
    daemon.answers.requestDeviceCycles = accepted({ joined: true });
    await pass(150);

    expect(early).toBe(1);
    expect(tried()).toEqual(['1 power-cycle done']);
  });

  it('waits for a daemon that is away, and does not give up', async () => {
    const { pass, daemon, tried, repairs, world } = await start({ repairs: {} });
    await daemon.close();

    await pass(3000);

    expect(tried()).toEqual(['1 usb-cycle no-help', '1 power-cycle postponed']);
    expect(repairs.givenUp().size).toBe(0);
    const postponed = world.counted.filter((each) => each === 'power-cycle postponed');
    expect(postponed.length).toBeGreaterThan(10);
  });

  it.each(['before', 'after'])(
    'has a wedged adb server restarted at once, %s it needs attention',
    async (when) => {
      const { pass, world, tried, repairs, daemon } = await start({
        repairs: {
          async 'adb-restart'() {
            world.isAdbWedged = false;
          },
        },
      });
      if (when === 'after') await pass(1000);
      const asked = daemon.requests.length;
      const before = tried().length;

      world.isAdbWedged = true;
      await pass(0);

      expect(tried().slice(before)).toEqual([expect.stringMatching(/^\d adb-restart done$/)]);
      expect(daemon.requests).toHaveLength(asked);
      world.view = phone();
      await pass(0);
      expect(tried().at(-1)).toMatch(/adb-restart helped/);
      expect(repairs.givenUp().size).toBe(0);
    },
  );

  it.each([
    ['a job prevented', { announced: 'a job of ci is running: nightly' }],
    ['`acts: false` prohibited', { whyNotActing: 'rack.yaml says so' }],
  ])('has a wedged adb server restarted soon after restarts that %s', async (_, before) => {
    const { pass, world, done } = await start();
    Object.assign(world, { view: phone(), isAdbWedged: true }, before);
    // A job that is already known prevents the question.
    for (let minutes = 0; minutes < 60; minutes += 1) {
      world.busy = undefined;
      await pass(60);
    }
    const during = [...done];
    Object.assign(world, { announced: undefined, busy: undefined, whyNotActing: undefined });

    await pass(120);

    expect(during).toEqual([]);
    expect(done.length).toBeGreaterThan(0);
  });

  it('has an adb server that took long to restart not restarted again before the next readings', async () => {
    const { pass, world, tried, clock, repairs } = await start({
      repairs: { 'adb-restart': async () => clock.pass(400_000) },
    });
    world.view = phone();
    world.isAdbWedged = true;

    await pass(0);
    repairs.startDue();

    expect(tried()).toEqual(['1 adb-restart helped']);
  });

  it('is repaired as ever where the adb server stays wedged, which is restarted now and then', async () => {
    const { pass, world, tried } = await start();
    world.isAdbWedged = true;

    await pass(600);

    const steps = tried().map((line) => line.split(' ')[1]);
    expect(steps.slice(0, 2)).toEqual(['adb-restart', 'adb-restart']);
    expect(steps).toEqual(expect.arrayContaining(['device-reboot', 'usb-cycle', 'power-cycle']));
    expect(steps.filter((step) => step === 'adb-restart').length).toBeLessThan(7);
  });

  it.each([
    ['host-fault', false, []],
    ['host-fault', true, ['adb-restart']],
    ['not-listed', false, ['adb-restart']],
  ] as const)(
    'is not repaired for a fault of this computer: %s',
    async (code, isAdbWedged, steps) => {
      const { pass, world, tried, repairs, daemon } = await start();
      Object.assign(world, { view: { ...gone('adb'), state: 'unknown', code }, isAdbWedged });

      await pass(1200);

      expect([...new Set(tried().map((line) => line.split(' ')[1]))]).toEqual(steps);
      expect(repairs.givenUp().size).toBe(0);
      expect(daemon.requests).toEqual([]);
    },
  );

  it('is repaired as ever where a hanging adb server prevents its reading', async () => {
    const { pass, world, tried } = await start();
    const view: DeviceView = { ...gone('adb'), state: 'unknown', code: 'not-listed' };
    Object.assign(world, { view, isAdbWedged: true });

    await pass(600);

    expect(tried().map((line) => line.split(' ')[1])).toContain('power-cycle');
  });

  it.each([
    ['a task runs', { busy: 'a task is running' }],
    ['the machine is held', { holds: [heldBy('rpi-1')] }],
  ])('has no adb server restarted while %s', async (_, change) => {
    const { pass, world, tried } = await start();
    Object.assign(world, change, { isAdbWedged: true });

    await pass(600);

    expect(tried()).toEqual([]);
  });
});

describe('a step that a person orders', () => {
  it('is carried out with a device that is well, and is none of its ladder', async () => {
    const { pass, world, done, repairs, tried } = await start();
    world.view = phone({});
    await pass(10);

    repairs.order({ step: 'device-reboot', why: 'it looks slow (ann)' });

    await expect
      .poll(() => repairs.view())
      .toMatchObject([{ step: 'device-reboot', outcome: 'done' }]);
    expect(done).toEqual(['device-reboot']);
    await pass(10);
    expect(repairs.view()).toMatchObject([{ outcome: 'helped' }]);
    world.view = gone();
    await pass(2000);
    expect(tried().slice(0, 2)).toEqual(['1 device-reboot helped', '1 adb-reconnect no-help']);
  });

  it.each<[string, Parameters<Repairs['order']>[0], number, RegExp]>([
    [
      'another device',
      { device: 'tablet', step: 'adb-restart', why: 'x' },
      404,
      /no device tablet; the machine has: phone \(adb-reconnect, /,
    ],
    [
      'a step that does not exist',
      { step: 'burn', why: 'x' },
      404,
      /^phone: no step burn; the machine has: phone/,
    ],
  ])('is rejected for %s', async (_, wanted, status, detail) => {
    const { repairs } = await start();

    expect(() => repairs.order(wanted)).toThrow(
      expect.objectContaining({ status, detail: expect.stringMatching(detail) }),
    );
  });

  it.each<[RegExp, (its: Awaited<ReturnType<typeof start>>) => unknown]>([
    [
      /a task is running; try again/,
      ({ world }) => Object.assign(world, { busy: 'a task is running' }),
    ],
    [
      /rpi-1 was put on hold by ann/,
      ({ world }) => Object.assign(world, { holds: [heldBy('rpi-1')] }),
    ],
    [/phone is rebooting after a task/, ({ world }) => world.rebooting.set('phone', new Date())],
    [/port was turned off/, ({ usb }) => usb.set({ hub: '1-1', port: 2 }, false)],
    [
      /adb-restart of phone is in progress/,
      ({ repairs }) => repairs.order({ step: 'adb-restart', why: 'x' }),
    ],
  ])('waits: %s', async (detail, change) => {
    const its = await start();
    await change(its);

    expect(() => its.repairs.order({ step: 'adb-reconnect', why: 'x' })).toThrow(
      expect.objectContaining({ status: 409, detail: expect.stringMatching(detail) }),
    );
  });
});

describe('a device is not touched', () => {
  it.each<[string, Partial<Awaited<ReturnType<typeof start>>['world']>]>([
    ['a task runs', { busy: 'a task is running' }],
    ['its machine is held', { holds: [heldBy('rpi-1')] }],
    ['it is held', { holds: [heldBy('rpi-1-phone')] }],
    ['it reboots after a task', { rebooting: new Map([['phone', new Date()]]) }],
    ['nobody has looked', { view: phone({}, { state: 'unknown' }) }],
    ['its entry is wrong', { view: phone({}, { state: 'unknown', code: 'rack-yaml' }) }],
    [
      'a value was set manually',
      { view: phone({ setByHand: { battery: true, thermalStatus: true } }) },
    ],
    ['it is there', { view: phone({ batteryPercent: 2 }) }],
    ['it boots', { view: phone({ isReady: false }) }],
  ])('while %s', async (_, change) => {
    const { pass, world, tried } = await start();
    Object.assign(world, change);

    await pass(2000);

    expect(tried()).toEqual([]);
  });

  it('whose port somebody turned off', async () => {
    const { pass, usb, tried } = await start();
    await usb.set({ hub: '1-1', port: 2 }, false);

    await pass(2000);

    expect(tried()).toEqual([]);
  });

  it('when a job was announced just before, which costs no try', async () => {
    const { pass, world, tried, done, hub, daemon } = await start();
    world.announced = 'a job of ci is running: nightly';

    await pass(400);
    const during = [tried(), [...done], [...hub.switched], [...daemon.requests]];
    Object.assign(world, { announced: undefined, busy: undefined });
    await pass(1000);

    expect(during).toEqual([['1 adb-reconnect postponed'], [], [], []]);
    expect(tried().slice(0, 2)).toEqual(['1 adb-reconnect no-help', '1 adb-restart no-help']);
    expect(done).toContain('adb-reconnect');
  });

  it('while another is repaired', async () => {
    const ends: (() => void)[] = [];
    const slow = () => new Promise<void>((resolve) => void ends.push(resolve));
    const other = another({ repairs: { 'adb-restart': slow } }, gone());
    const { repairs, clock, tried, done, isUnderWay } = await start({
      repairs: { 'adb-restart': slow },
      others: [other],
    });
    repairs.startDue();
    clock.pass(121_000);

    repairs.startDue();
    repairs.startDue();
    const first = tried();
    await expect.poll(() => ends).toHaveLength(1);
    ends[0]?.();
    await expect.poll(() => isUnderWay()).toBe(false);
    repairs.startDue();

    expect(first).toEqual(['1 adb-restart under-way']);
    expect(repairs.view().map(({ device }) => device)).toEqual(['phone', 'other']);
    await expect.poll(() => ends).toHaveLength(2);
    ends[1]?.();
    expect(done).toEqual([]);
  });
});

describe('one that only a person can restore', () => {
  const forPerson = () => ({ ...gone('locked; unlock it'), code: 'needs-person' as const });

  it.each<[string, Options, string[]]>([
    ['one on adb', {}, ['adb-reconnect', 'adb-restart', 'adb-reconnect', 'adb-restart']],
    ['one without adb', { repairs: { 'device-reboot': async () => undefined } }, []],
    ['one that cannot do anything', { repairs: {} }, []],
  ])('is not rebooted, and keeps its power, until it needs attention: %s', async (...its) => {
    const [, own, steps] = its;
    const { pass, world, repairs, hub, daemon } = await start(own);
    world.view = forPerson();

    await pass(2000);

    expect(repairs.view().map(({ step }) => step)).toEqual(steps);
    expect([hub.switched, daemon.requests]).toEqual([[], []]);
    expect(repairs.givenUp().get('phone')).toBe('only a person can restore it');
    // Who wants to try anyway may.
    expect(repairs.steps().get('phone')).toContain('usb-cycle');
  });

  it('is not rebooted either where it did not come back from a reboot', async () => {
    const { pass, world, done, hub } = await start();
    world.view = forPerson();
    world.notBack.set('phone', new Date());

    await pass(2000);

    expect(new Set(done)).toEqual(new Set(['adb-reconnect', 'adb-restart']));
    expect(hub.switched).toEqual([]);
  });

  it('is repaired as ever when it is only gone, which whoever works on it has time to end', async () => {
    const { pass, world, hub, repairs } = await start();
    world.view = forPerson();
    await pass(2000);

    world.view = gone();
    await pass(90);
    const soon = [repairs.givenUp().size, hub.switched.length];
    await pass(600);

    expect(soon).toEqual([0, 0]);
    expect(
      repairs
        .view()
        .map(({ step }) => step)
        .slice(4),
    ).toEqual(['device-reboot', 'usb-cycle', 'power-cycle']);
    expect(repairs.givenUp().size).toBe(1);
  });

  it('starts over when it is well', async () => {
    const { pass, world, repairs, tried } = await start();
    world.view = forPerson();
    await pass(2000);
    world.view = phone();
    await pass(0);
    const well = repairs.givenUp().size;

    world.view = forPerson();
    await pass(150);

    expect(well).toBe(0);
    expect(tried().at(-1)).toBe('1 adb-reconnect done');
  });
});

it('is repaired, one that is there but did not come back from its reboot', async () => {
  const { pass, world, tried } = await start();
  world.view = phone();
  world.notBack.set('phone', new Date());

  await pass(130);

  expect(tried()).toEqual(['1 adb-reconnect done']);
});

it('a held phone does not prevent the repair of another', async () => {
  const { pass, world, tried } = await start({ others: [another({ repairs: {} }, phone())] });
  world.holds = [heldBy('rpi-1-other')];

  await pass(130);

  expect(tried()).toEqual(['1 adb-reconnect done']);
});

describe('a step that is under way', () => {
  async function startUsbCycle() {
    const its = await start({ repairs: {}, usbOffSeconds: 3600 });
    its.repairs.startDue();
    its.clock.pass(121_000);
    its.repairs.startDue();
    await expect.poll(() => its.hub.off()).toContain('usb/1-1.2');
    return its;
  }

  it('is broken off by a task, and the port has power', async () => {
    const { repairs, hub, world, tried, isUnderWay } = await startUsbCycle();

    world.busy = 'a task is running';
    repairs.startDue();

    await expect.poll(() => isUnderWay()).toBe(false);
    expect(hub.off()).toEqual([]);
    expect(tried()).toEqual(['1 usb-cycle failed']);
    expect(repairs.view()[0]?.text).toBe('interrupted: a task is running');
  });

  it('is broken off when the agent stops, and the port has power', async () => {
    const { repairs, hub } = await startUsbCycle();

    await repairs.stop();

    expect(hub.off()).toEqual([]);
  });
});
