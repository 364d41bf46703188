import { fakeClock } from '@skolo/common/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { DeviceReading, DeviceView } from '../devices/device.ts';
import { quietLog } from '../testing/quiet-log.ts';
import { AfterTask } from './after-task.ts';

/** A phone that reboots when it is told, and takes its time. */
class Phone {
  readonly clock;
  /** Seconds since boot of the machine at which it booted; undefined: it is off. */
  bootedAt: number | undefined;
  isReady = true;
  tellsUptime = true;
  takesCommand = true;
  /** How many commands are taken and lost. */
  loses = 0;
  told = 0;
  looks = 0;
  private last: DeviceView | undefined;

  constructor(clock: ReturnType<typeof fakeClock>) {
    this.clock = clock;
    this.bootedAt = clock.uptime() - 5000;
  }

  readonly repairs = {
    'device-reboot': async () => {
      this.told += 1;
      if (!this.takesCommand) throw new Error('device offline');
      if (this.told > this.loses) this.bootedAt = undefined;
    },
  };

  view(): DeviceView {
    this.last ??= this.seen();
    return this.last;
  }

  async readNow(): Promise<DeviceView> {
    this.looks += 1;
    await new Promise<void>((resolve) => setImmediate(resolve));
    this.last = this.seen();
    return this.last;
  }

  boots(): void {
    this.bootedAt = this.clock.uptime();
  }

  private seen(): DeviceView {
    const state = this.bootedAt === undefined ? 'missing' : 'present';
    const now = new Date(this.clock.now());
    const reading: DeviceReading = {
      dimensions: {},
      temperatures: {},
      isReady: this.isReady,
      ...(this.tellsUptime &&
        this.bootedAt !== undefined && { uptimeSeconds: this.clock.uptime() - this.bootedAt }),
    };
    return {
      name: 'phone',
      fullName: 'rpi-1-phone',
      kind: 'android',
      state,
      since: this.last?.state === state ? this.last.since : now,
      readAt: now,
      readUptime: this.clock.uptime(),
      ...(state === 'present' ? { reading } : { why: 'no such device' }),
    };
  }
}

function start({ reboot = true, canReboot = true, acts = true, isBusy = false, count = 1 } = {}) {
  const clock = fakeClock('2026-11-20T12:00:00Z');
  const phone = new Phone(clock);
  const phones = [phone, ...Array.from({ length: count - 1 }, () => new Phone(clock))];
  const afterTask = new AfterTask({
    settings: () => ({ reboot, readySeconds: 300 }),
    devices: () =>
      phones.map((each, index) => ({
        name: `phone-${index + 1}`,
        device: { repairs: canReboot ? each.repairs : {} },
        view: () => each.view(),
        readNow: () => each.readNow(),
      })),
    wouldReboot: () => !acts,
    isBusy: () => isBusy,
    clock,
    log: quietLog(),
    emit: () => undefined,
    lookSeconds: 0.002,
    againSeconds: 10,
  });
  onTestFinished(() => afterTask.stop());
  const moreLooks = async () => {
    const { looks } = phone;
    // The first of them may have begun before.
    await expect.poll(() => phone.looks).toBeGreaterThan(looks + 1);
  };
  const state = () => [[...afterTask.rebooting().keys()], [...afterTask.notBack().keys()]];
  return { clock, phone, phones, afterTask, moreLooks, state };
}

const waiting = [['phone-1'], []];
const well = [[], []];
const lost = [[], ['phone-1']];

describe('after a task', () => {
  it('the phone reboots, and the next task waits until it is back', async () => {
    const { afterTask, phone, clock, moreLooks, state } = start();

    afterTask.taskEnded();
    const atOnce = state();
    await expect.poll(() => phone.told).toBe(1);
    clock.pass(40_000);
    await moreLooks();
    const away = state();
    phone.boots();

    await expect.poll(state).toEqual(well);
    expect([atOnce, away]).toEqual([waiting, waiting]);
    expect(phone.told).toBe(1);
  });

  it.each([
    ['that is only noted', { acts: false }],
    ['others have a job on the machine', { isBusy: true }],
  ])('nothing reboots where %s', (_, how) => {
    const { afterTask, phone, state } = start(how);

    afterTask.taskEnded();

    expect([phone.told, state()]).toEqual([0, well]);
  });

  it('it is not back while it boots', async () => {
    const { afterTask, phone, clock, moreLooks, state } = start();
    afterTask.taskEnded();
    await expect.poll(() => phone.told).toBe(1);
    clock.pass(20_000);
    phone.isReady = false;
    phone.boots();

    await moreLooks();
    const booting = state();
    phone.isReady = true;

    await expect.poll(state).toEqual(well);
    expect(booting).toEqual(waiting);
  });

  it('the command is repeated if the device rejected it, and the device is not back while it has not rebooted', async () => {
    const { afterTask, phone, clock, moreLooks, state } = start();
    phone.takesCommand = false;
    afterTask.taskEnded();
    await moreLooks();
    const before = state();
    phone.takesCommand = true;
    clock.pass(11_000);
    await expect.poll(() => phone.told).toBe(2);
    clock.pass(20_000);
    phone.boots();

    await expect.poll(state).toEqual(well);
    expect(before).toEqual(waiting);
  });

  it('the command is repeated if the device accepted it and is up as before', async () => {
    const { afterTask, phone, clock, moreLooks, state } = start();
    phone.loses = 1;
    afterTask.taskEnded();
    await moreLooks();
    clock.pass(15_000);
    await moreLooks();
    const early = phone.told;
    clock.pass(6000);
    await expect.poll(() => phone.told).toBe(2);
    clock.pass(20_000);
    phone.boots();

    await expect.poll(state).toEqual(well);
    expect(early).toBe(1);
  });

  it('one whose uptime is unknown must have been away', async () => {
    const { afterTask, phone, clock, moreLooks, state } = start();
    phone.tellsUptime = false;
    phone.repairs['device-reboot'] = async () => {
      phone.told += 1;
    };
    afterTask.taskEnded();
    clock.pass(5000);
    await moreLooks();
    const there = state();
    phone.bootedAt = undefined;
    await moreLooks();
    clock.pass(5000);
    phone.boots();

    await expect.poll(state).toEqual(well);
    expect(there).toEqual(waiting);
  });

  it('one that is not back in time is no longer waited for, until it is back', async () => {
    const { afterTask, phone, clock, state } = start();
    afterTask.taskEnded();
    await expect.poll(() => phone.told).toBe(1);

    clock.pass(301_000);
    await expect.poll(state).toEqual(lost);
    phone.boots();
    await phone.readNow();

    expect(state()).toEqual(well);
  });

  it('one that is there but does not reboot is not back', async () => {
    const { afterTask, phone, clock, state } = start();
    phone.takesCommand = false;
    afterTask.taskEnded();

    clock.pass(301_000);
    await expect.poll(state).toEqual(lost);
    await phone.readNow();

    expect(state()).toEqual(lost);
  });

  it('phones reboot side by side', async () => {
    const { afterTask, phones, state } = start({ count: 3 });

    afterTask.taskEnded();

    await expect.poll(() => phones.map(({ told }) => told)).toEqual([1, 1, 1]);
    for (const phone of phones) phone.boots();
    await expect.poll(state).toEqual(well);
  });

  it('another task that ends meanwhile reboots it again', async () => {
    const { afterTask, phone, clock, state } = start();
    afterTask.taskEnded();
    await expect.poll(() => phone.told).toBe(1);
    clock.pass(10_000);

    afterTask.taskEnded();
    await expect.poll(() => phone.told).toBe(2);
    const between = state();
    phone.boots();

    await expect.poll(state).toEqual(well);
    expect(between).toEqual(waiting);
  });

  it.each([{ reboot: false }, { canReboot: false }])(
    'it is only looked at where it does not reboot: %o',
    async (options) => {
      const { afterTask, phone, state } = start(options);

      afterTask.taskEnded();

      await expect.poll(() => phone.looks).toBe(1);
      expect([state(), phone.told]).toEqual([well, 0]);
    },
  );

  it('nothing goes on when the agent stops', async () => {
    const { afterTask, phone } = start();
    afterTask.taskEnded();
    await expect.poll(() => phone.told).toBe(1);

    await afterTask.stop();
    const { looks } = phone;
    afterTask.taskEnded();

    expect([phone.looks, phone.told]).toEqual([looks, 1]);
    expect(afterTask.notBack().size).toBe(0);
  });
});
