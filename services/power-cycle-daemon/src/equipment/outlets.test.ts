import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Boards } from '../testing/board-driver.ts';
import { simulateTime } from '../testing/simulated-time.ts';
import { cycleNatively, seeState, turnOff, turnOn } from './outlets.ts';

const patience = { firstMs: 1, mostMs: 4, withinMs: 40 };
const long = { ...patience, withinMs: 10_000 };
const tries = { tries: 3, patience };
const signal = new AbortController().signal;

let endTime: () => void;

// As everything is in memory, time passes from one timer to the next.
beforeEach(() => {
  endTime = simulateTime();
  vi.setTimerTickMode('nextTimerAsync');
});
afterEach(() => endTime());

function plugged(native?: { least: number; most: number } | 'fixed') {
  const boards = new Boards();
  return { controller: boards.controller('pdu-1', native), board: boards.get('pdu-1') };
}

describe('seeing the state of an outlet', () => {
  it('waits until the device shows the requested state', async () => {
    const { controller, board } = plugged();
    setTimeout(() => board.outlets.set('1', false), 10);

    const verification = await seeState(controller, '1', 'off', long, signal);

    expect(verification).toMatchObject({
      is: 'verified',
      text: 'pdu-1/1 is reported as off',
      reading: { state: 'off', delivering: false },
    });
  });

  it('waits as long as a slow device may take', async () => {
    const { controller, board } = plugged();
    const slow = Object.assign(controller, { stepMs: 10_000 });
    setTimeout(() => board.outlets.set('1', false), 2 * patience.withinMs);

    expect(await seeState(slow, '1', 'off', patience, signal)).toMatchObject({ is: 'verified' });
  });

  it.each([
    ['shows the other', {}, 'pdu-1/1 is still on'],
    [
      'delivers power all the same',
      { leaks: true, off: true },
      'pdu-1/1 is turned off, but still delivers power',
    ],
    [
      'does not tell',
      { tellsNothing: true },
      'pdu-1/1: the controller does not report whether this outlet is on',
    ],
    ['does not respond', { isDown: true }, 'pdu-1: connection refused'],
  ] as const)('proves nothing where it %s', async (_name, fault, text) => {
    const { controller, board } = plugged();
    if ('off' in fault) board.outlets.set('1', false);
    Object.assign(board, fault);

    expect(await seeState(controller, '1', 'off', patience, signal)).toEqual({ is: 'not', text });
  });

  it('does not take an outlet for off that is set on and draws nothing', async () => {
    const { controller, board } = plugged();
    board.outlets.setWatts('1', 0);

    expect(await seeState(controller, '1', 'on', patience, signal)).toMatchObject({
      is: 'verified',
    });
    expect(await seeState(controller, '1', 'off', patience, signal)).toMatchObject({ is: 'not' });
  });

  it('goes on through errors until its time is over', async () => {
    const { controller, board } = plugged();
    board.isDown = true;
    setTimeout(() => {
      board.isDown = false;
      board.outlets.set('1', false);
    }, 10);

    const verification = await seeState(controller, '1', 'off', long, signal);

    expect(verification.is).toBe('verified');
  });

  it('ends with the daemon', async () => {
    const { controller } = plugged();
    const stopping = new AbortController();
    const seeing = seeState(controller, '1', 'off', long, stopping.signal);
    stopping.abort(new Error('the daemon stops'));

    await expect(seeing).rejects.toThrow('the daemon stops');
  });
});

describe('turning off', () => {
  it('is not sent again where only the answer was lost', async () => {
    const { controller, board } = plugged();
    board.losesAnswers = 1;

    expect(await turnOff(controller, '1', tries, signal)).toMatchObject({ is: 'verified' });
    expect(board.told).toEqual(['off 1']);
  });

  it('is not tried again where the device rejected', async () => {
    const { controller, board } = plugged();
    board.rejects = true;

    const verification = await turnOff(controller, '1', tries, signal);

    const text = 'the outlet is not reported as off: pdu-1: no such command; pdu-1/1 is still on';
    expect(verification).toEqual({ is: 'not', text });
    expect(board.reads.length).toBeGreaterThan(0);
  });
});

describe('turning on', () => {
  it('reports why the command was not sent, and what the outlet reads', async () => {
    const { controller, board } = plugged();
    board.outlets.set('1', false);
    board.rejects = true;

    expect(await turnOn(controller, '1', { mode: undefined }, patience, signal)).toEqual({
      is: 'not',
      text: 'pdu-1: no such command; pdu-1/1 is still off',
    });
  });

  it('is in the mode of the last reading that showed one', async () => {
    const { controller, board } = plugged();
    board.outlets.setMode('1', '48v');
    await controller.read(['1']);
    board.outlets.set('1', false);
    await controller.read(['1']);
    board.tellsNothing = true;

    await turnOn(controller, '1', { mode: '24v' }, patience, signal);

    expect(board.told).toEqual(['on 1 48v']);
  });

  it.each([{ isDue: true }, { isInDoubt: true }])('waits for no reading: %o', async (how) => {
    const { controller, board } = plugged();

    await turnOn(controller, '1', { mode: undefined, ...how }, patience, signal);

    expect(board.told).toEqual(['on 1 usual']);
    expect(board.reads).toHaveLength(1);
  });

  it('believes the reading where the answer is lost', async () => {
    const { controller, board } = plugged();
    board.outlets.set('1', false);
    board.losesAnswers = 1;

    expect(await turnOn(controller, '1', { mode: undefined }, patience, signal)).toMatchObject({
      is: 'verified',
    });
  });
});

describe('the own cycle of a device', () => {
  const cycle = (controller: Parameters<typeof cycleNatively>[0], offSeconds?: number) => {
    const seenOff: string[] = [];
    const offMs = (offSeconds ?? 0.3) * 1000;
    const onSeenOff = (text: string) => void seenOff.push(text);
    const options = { offSeconds, offMs, patience, onSeenOff };
    return cycleNatively(controller, '1', options, signal).then((outcome) => ({
      outcome,
      seenOff,
    }));
  };

  it.each([
    ['the requested time', { least: 0, most: 60 }, 0.05, ''],
    ['a time of its own', 'fixed', undefined, ' after the delay set on the controller'],
  ] as const)('is seen off and on, after %s', async (_name, native, offSeconds, when) => {
    const { controller, board } = plugged(native);

    const { outcome, seenOff } = await cycle(controller, offSeconds);

    expect(outcome).toEqual({ is: 'cycled-natively', text: 'pdu-1/1 is reported as on' });
    expect(seenOff).toEqual([`pdu-1/1 is reported as off; pdu-1 turns it on automatically${when}`]);
    expect(board.told).toEqual(['cycle 1']);
  });

  it('is seen off, however many others wait behind it on a slow command line', async () => {
    const { controller, board } = plugged({ least: 0, most: 60 });
    board.slowMs = 40;
    const outlets = Array.from({ length: 8 }, (_, index) => String(index + 1));
    const slow = { firstMs: 5, mostMs: 10, withinMs: 2000 };

    const outcomes = await Promise.all(
      outlets.map((outlet) => {
        const times = { offSeconds: 0.2, offMs: 200, patience: slow };
        const options = { ...times, onSeenOff: () => undefined };
        return cycleNatively(controller, outlet, options, signal);
      }),
    );

    // Eight resets one after the other take longer than each is off.
    expect(outcomes.map(({ is }) => is)).toEqual(outlets.map(() => 'cycled-natively'));
  });

  it('may have been done where the answer is lost and it was never seen off', async () => {
    const { controller, board } = plugged({ least: 0, most: 60 });
    Object.assign(board, { ignores: 'off', losesAnswers: 1 });

    const { outcome } = await cycle(controller, 5);

    expect(outcome).toEqual({
      is: 'off-unseen',
      text: 'pdu-1: the connection died; pdu-1/1 is still on; the outlet was never reported as off',
    });
  });

  it('is believed where the answer is lost and it was seen off', async () => {
    const { controller, board } = plugged({ least: 0, most: 60 });
    board.losesAnswers = 1;

    const { outcome } = await cycle(controller, 0.05);

    expect(outcome.is).toBe('cycled-natively');
    expect(board.told).toEqual(['cycle 1']);
  });
});
