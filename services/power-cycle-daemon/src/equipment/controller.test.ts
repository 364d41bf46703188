import { fakeClock } from '@skolo/common/testing';
import { noCrashNotes } from '@skolo/common/testing/no-crash-notes';
import type { PowerDriver } from '@skolo/equipment/models/outlets';
import { DeviceBusy, DeviceRejected, DeviceTimeout } from '@skolo/equipment/transports';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { Boards, signInsOf } from '../testing/board-driver.ts';
import { Controller } from './controller.ts';

afterEach(() => {
  vi.useRealTimers();
});

function plugged(native?: { least: number; most: number } | 'fixed') {
  const boards = new Boards();
  const states: string[] = [];
  const read: string[][] = [];
  const clock = fakeClock(1000);
  const controller = boards.controller('pdu-1', native, {
    clock,
    maySwitch: () => undefined,
    crashNotes: noCrashNotes,
    emit(event) {
      if (event.type === 'read') read.push([...event.readings.keys()]);
      if (event.type !== 'controller') return;
      const { state, detail } = event;
      states.push(detail ? `${state}: ${detail}` : state);
    },
  });
  const pass = (ms: number) => clock.pass(ms);
  return { controller, board: boards.get('pdu-1'), states, read, pass };
}

function controllerOf(
  driver: PowerDriver,
  more: Partial<ConstructorParameters<typeof Controller>[0]> = {},
  clock = fakeClock(),
): Controller {
  const deps = {
    clock,
    emit: () => undefined,
    maySwitch: () => undefined,
    crashNotes: noCrashNotes,
  };
  const facts = { name: 'pdu-1', model: 'board', automaticRepair: true, ...more };
  const controller = new Controller(facts, driver, signInsOf(deps), deps);
  onTestFinished(() => controller.close());
  return controller;
}

async function failure(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => 'no failure',
    (error: unknown) => error,
  );
}

it('turning on does not wait for the comparison of outlets that are read one by one', async () => {
  const calls: string[] = [];
  const first = Promise.withResolvers<void>();
  const driver: PowerDriver = {
    readsAtOnce: 4,
    async read(outlets) {
      calls.push(`read ${outlets}`);
      await first.promise;
      return new Map(outlets.map((outlet) => [outlet, { state: 'on' }]));
    },
    turnOff: async () => undefined,
    turnOn: async (outlet) => void calls.push(`on ${outlet}`),
    close: async () => undefined,
  };
  const controller = controllerOf(driver, { outlets: () => ['1', '2', '3', '4', '5', '6'] });

  const compared = controller.othersMoved('1');
  await expect.poll(() => calls).toEqual(['read 1,2,3,4']);
  const turnedOn = controller.turnOn('9', {});
  first.resolve();
  await turnedOn;

  expect(await compared).toBeUndefined();
  expect(calls).toEqual(['read 1,2,3,4', 'on 9', 'read 5,6']);
});

it('compares all outlets in one operation of a device that has no limit', async () => {
  const reads: number[] = [];
  const driver: PowerDriver = {
    async read(outlets) {
      reads.push(outlets.length);
      return new Map(outlets.map((outlet) => [outlet, { state: 'on' }]));
    },
    turnOff: async () => undefined,
    turnOn: async () => undefined,
    close: async () => undefined,
  };
  const names = Array.from({ length: 48 }, (_, index) => String(index + 1));
  const controller = controllerOf(driver, { outlets: () => names });

  await controller.othersMoved('1');

  expect(reads).toEqual([48]);
});

it('turning on ends a reading that hangs, which is repeated afterwards', async () => {
  vi.useFakeTimers();
  const calls: string[] = [];
  const driver: PowerDriver = {
    read(outlets, signal) {
      calls.push(`read ${outlets}`);
      if (calls.length > 1) return Promise.resolve(new Map([['1', { state: 'on' }]]));
      return new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason));
      });
    },
    turnOff: async () => undefined,
    turnOn: async (outlet) => void calls.push(`on ${outlet}`),
    close: async () => undefined,
  };
  const own = controllerOf(driver);

  const readings = own.read(['1']);
  await vi.advanceTimersByTimeAsync(5000);
  const turnedOn = own.turnOn('2', {});
  await vi.advanceTimersByTimeAsync(1);
  await turnedOn;

  expect((await readings).get('1')?.state).toBe('on');
  expect(calls).toEqual(['read 1', 'on 2', 'read 1']);
  expect(own.state).toBe('up');
});

describe('the queue of a controller', () => {
  it('does one thing at a time, in order, but turning on first', async () => {
    const { controller, board } = plugged();

    await Promise.all([
      controller.turnOff('1'),
      controller.turnOff('2'),
      controller.read(['1']),
      controller.turnOn('3', {}),
      controller.turnOff('4'),
      controller.turnOn('5', { mode: '48v' }),
    ]);

    expect(board.told).toEqual(['on 3 usual', 'on 5 48v', 'off 1', 'off 2', 'off 4']);
    expect(board.atOnce.most).toBe(1);
    expect(controller.queueLength).toBe(0);
  });

  it('has its length', async () => {
    const { controller } = plugged();

    const work = [controller.turnOff('1'), controller.turnOff('2'), controller.read(['1'])];
    const length = controller.queueLength;
    await Promise.all(work);

    expect(length).toBe(3);
  });

  it('makes readings that wait together', async () => {
    const { controller, board, read } = plugged();
    board.outlets.set('2', false);

    const answers = await Promise.all(
      [['1'], ['2', '3'], ['1', '3']].map((outlets) => controller.read(outlets)),
    );

    expect(board.reads).toEqual([['1', '2', '3']]);
    expect(read).toEqual([['1', '2', '3']]);
    expect(answers.map((readings) => readings.get('3')?.state)).toEqual(['on', 'on', 'on']);
    expect(answers[0]?.get('2')?.state).toBe('off');
  });

  it('does not respond by a reading that was begun before it was asked for', async () => {
    const { controller, board } = plugged();
    board.slowMs = 100;
    const early = controller.read(['1']);
    await vi.waitFor(() => expect(board.atOnce.now).toBe(1), { interval: 1 });

    const late = controller.read(['1']);
    await Promise.all([early, late]);

    expect(board.reads).toHaveLength(2);
  });

  it('reads the others where the device rejects one', async () => {
    const { controller, board } = plugged();

    const [first, missing, third] = await Promise.allSettled([
      controller.read(['1']),
      controller.read(['99']),
      controller.read(['3']),
    ]);

    expect(first).toMatchObject({ status: 'fulfilled' });
    expect(third).toMatchObject({ status: 'fulfilled' });
    expect(missing).toMatchObject({ status: 'rejected', reason: expect.any(DeviceRejected) });
    expect(board.reads).toEqual([['1'], ['3']]);
    expect(controller.state).toBe('up');
  });
});

describe('a device', () => {
  it('that is busy is asked again until it is not', async () => {
    vi.useFakeTimers();
    const { controller, board } = plugged();
    board.busyTimes = 3;

    const done = controller.turnOff('1');
    await vi.advanceTimersByTimeAsync(3100);
    await done;

    expect(board.told).toEqual(['off 1']);
    expect(controller.state).toBe('up');
  });

  it('that stays busy is reported as busy', async () => {
    vi.useFakeTimers();
    const { controller, board } = plugged();
    board.busyTimes = 1000;

    const error = failure(controller.turnOff('1'));
    await vi.advanceTimersByTimeAsync(31_000);

    expect(await error).toBeInstanceOf(DeviceBusy);
    expect(controller).toMatchObject({
      state: 'down',
      detail: 'another session is open',
    });
  });

  it.each([{ signInSeconds: 60 }, { stepSeconds: 30 }])(
    'that is slow by %o has the time',
    async (more) => {
      vi.useFakeTimers();
      const slow = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
      const driver: PowerDriver = {
        read: async () => new Map(),
        turnOff: () => slow(45_000),
        turnOn: () => slow(45_000),
        close: async () => undefined,
      };
      const slowly = controllerOf(driver, more);
      const usual = controllerOf(driver);

      const results = Promise.all([slowly.turnOff('1'), failure(usual.turnOff('1'))]);
      await vi.advanceTimersByTimeAsync(46_000);

      expect((await results)[1]).toEqual(new DeviceTimeout('pdu-1', 'no response within 30 s'));
    },
  );

  it.each(['isWedged', 'isDeaf'] as const)(
    'that %s holds up its queue for so long only',
    async (fault) => {
      vi.useFakeTimers();
      const { controller, board } = plugged();
      board[fault] = true;

      const error = failure(controller.turnOff('1'));
      const next = controller.turnOff('2');
      await vi.advanceTimersByTimeAsync(29_000);
      board[fault] = false;
      await vi.advanceTimersByTimeAsync(2000);
      await next;

      expect(await error).toEqual(new DeviceTimeout('pdu-1', 'no response within 30 s'));
      expect(board.told).toEqual(['off 2']);
    },
  );

  it('is up when it answers, even if it rejects, and down when it does not', async () => {
    const { controller, board, states, pass } = plugged();

    await controller.read(['1']);
    pass(1);
    board.isDown = true;
    await failure(controller.read(['1']));
    await failure(controller.read(['1']));
    pass(1);
    board.isDown = false;
    board.rejects = true;
    await failure(controller.turnOff('1'));
    const rejecting = controller.state;
    board.rejects = false;
    await controller.read(['1']);

    expect(rejecting).toBe('down');
    expect(states).toEqual(['up', 'down: pdu-1: connection refused', 'up']);
    expect(controller).toMatchObject({ state: 'up', since: 1002, lastContact: 1002 });
    expect(controller.detail).toBeUndefined();
  });

  it('is not down because a pause of this process interrupted its answers, unless all of them', async () => {
    const clock = fakeClock();
    const driver: PowerDriver = {
      async read() {
        clock.sleep(60_000);
        throw new DeviceTimeout('pdu-1', 'no response within 30 s');
      },
      turnOff: async () => undefined,
      turnOn: async () => undefined,
      close: async () => undefined,
    };
    const controller = controllerOf(driver, {}, clock);

    await failure(controller.read(['1']));
    const { state } = controller;
    for (let time = 0; time < 3; time += 1) await failure(controller.read(['1']));

    expect([state, controller.state]).toEqual(['unknown', 'down']);
  });

  it('has not been asked before it is', () => {
    expect(plugged().controller).toMatchObject({ state: 'unknown', since: 1000 });
  });

  it('whose driver throws what it should not is down, and its queue goes on', async () => {
    const driver: PowerDriver = {
      read: async (outlets) => new Map(outlets.map((outlet) => [outlet, { state: 'on' }])),
      turnOff: () => {
        throw new TypeError('x is not a function');
      },
      turnOn: async () => undefined,
      close: async () => undefined,
    };
    const controller = controllerOf(driver);

    const error = await failure(controller.turnOff('1'));
    const wasDown = controller.state;
    await controller.turnOn('1', {});

    expect(error).toEqual(new TypeError('x is not a function'));
    expect([wasDown, controller.state]).toEqual(['down', 'up']);
  });
});

describe('the own cycle of a device', () => {
  it.each([
    ['none', undefined, { undefined: false, 5: false }, false],
    [
      'any time',
      { least: 1, most: 60 },
      { undefined: true, 5: true, 0.5: false, 61: false },
      false,
    ],
    ['a fixed time', 'fixed', { undefined: true, 5: false }, true],
  ] as const)('is for %s', (_name, native, expected, isFixed) => {
    const { controller } = plugged(native);

    for (const [seconds, may] of Object.entries(expected)) {
      const asked = seconds === 'undefined' ? undefined : Number(seconds);
      expect(controller.cyclesNatively(asked)).toBe(may);
    }
    expect(controller.hasFixedCycle).toBe(isFixed);
  });
});

describe('closing', () => {
  it('ends what runs, rejects what waits, sends the device nothing more', async () => {
    const { controller, board } = plugged();
    board.isWedged = true;
    const running = failure(controller.turnOff('1'));
    const waiting = [controller.turnOn('2', {}), controller.read(['3'])].map(failure);
    await vi.waitFor(() => expect(board.atOnce.now).toBe(1));
    board.isWedged = false;

    await controller.close();
    const after = await failure(controller.turnOff('4'));

    const ended = new Error('pdu-1: removed from rack.yaml, or the daemon is stopping');
    expect(await Promise.all([running, ...waiting, after])).toEqual([ended, ended, ended, ended]);
    expect(board).toMatchObject({ told: [], reads: [], isClosed: true });
    expect(controller.state).toBe('unknown');
  });

  it('does not wait for a driver that does not listen', async () => {
    const { controller, board } = plugged();
    board.isDeaf = true;
    const running = failure(controller.turnOff('1'));

    await controller.close();

    expect(await running).toBeInstanceOf(Error);
  });
});

/** Devices that are asked outlet by outlet: a reading of all of them must not be longer than an operation may take. */
function oneByOne() {
  const asked: string[] = [];
  const driver: PowerDriver = {
    readsAtOnce: 4,
    async read(outlets) {
      asked.push(outlets.join(' '));
      return new Map(outlets.map((outlet) => [outlet, { state: 'on' }]));
    },
    turnOff: async () => undefined,
    async turnOn(outlet) {
      asked.push(`on ${outlet}`);
    },
    close: async () => undefined,
  };
  const controller = controllerOf(driver);
  return { controller, asked };
}

describe('many readings of a device that is asked outlet by outlet', () => {
  it('are made a few at a time, and turning on comes in between', async () => {
    const { controller, asked } = oneByOne();
    const names = ['1', '2', '3', '4', '5', '6', '7', '8', '9'];

    const readings = names.map((name) => controller.read([name]));
    const on = readings[0]?.then(() => controller.turnOn('3', {}));
    const all = await Promise.all(readings);
    await on;

    expect(asked).toEqual(['1 2 3 4', 'on 3', '5 6 7 8', '9']);
    expect(all.map((each, index) => each.get(names[index] ?? '')?.state)).toEqual(
      names.map(() => 'on'),
    );
  });

  it('that were asked for together are made together', async () => {
    const { controller, asked } = oneByOne();

    await controller.read(['1', '2', '3', '4', '5']);

    expect(asked).toEqual(['1 2 3 4 5']);
  });
});
