import { type Credentials, Secret } from '@skolo/base/secrets';
import { fakeClock } from '@skolo/common/testing';
import { noCrashNotes } from '@skolo/common/testing/no-crash-notes';
import { SignInRejected } from '@skolo/equipment/transports';
import { describe, expect, it } from 'vitest';
import { Boards } from '../testing/board-driver.ts';
import { startDaemon } from '../testing/daemon.ts';
import { waitUntil } from '../testing/wait-until.ts';
import { Controller } from './controller.ts';
import { SignInPause } from './sign-in-pause.ts';

/** A controller whose device rejects the login. */
function rejecting() {
  const boards = new Boards();
  const board = boards.get('pdu-1');
  board.rejectsSignIn = true;
  const clock = fakeClock(1_000_000, 1000);
  let password = 'hunter2';
  const credentials = async (): Promise<Credentials> => ({
    legacySsh: false,
    username: 'ubnt',
    password: new Secret(password),
  });
  const signIns = new SignInPause({ credentials, clock });
  const facts = { name: 'pdu-1', model: 'board', automaticRepair: true };
  const both = { toRead: signIns, toSwitch: signIns };
  const controller = new Controller(facts, boards.driver('pdu-1'), both, {
    clock,
    emit: () => undefined,
    maySwitch: () => undefined,
    crashNotes: noCrashNotes,
  });
  return {
    board,
    controller,
    pass: (seconds: number) => clock.pass(seconds * 1000),
    rotate: () => {
      password = 'another';
    },
  };
}

type Rejecting = ReturnType<typeof rejecting>;

/** Everything that the daemon does with a controller, many times. */
async function tryHard({ controller }: Rejecting): Promise<unknown[]> {
  const errors: unknown[] = [];
  for (let round = 0; round < 20; round += 1) {
    const works = [controller.read(['1']), controller.turnOn('1', {}), controller.turnOff('2')];
    for (const work of works) errors.push(await work.catch((error: unknown) => error));
  }
  return errors;
}

describe('a device that rejects the login', () => {
  it('is asked once, then after 2, 5 and each 10 minutes, whatever there is to do', async () => {
    const rejected = rejecting();
    const attempts: number[] = [];
    for (const seconds of [0, 119, 1, 299, 1, 599, 1, 599, 1]) {
      rejected.pass(seconds);
      const errors = await tryHard(rejected);
      expect(errors.every((error) => error instanceof SignInRejected)).toBe(true);
      attempts.push(rejected.board.signIns);
    }

    expect(attempts).toEqual([1, 1, 2, 2, 3, 3, 4, 4, 5]);
    expect(rejected.controller.state).toBe('down');
    expect(rejected.controller.detail).toBe(
      'wrong password; sign-in has been rejected 5 times since 1970-01-01T00:16:40.000Z; the next attempt is at 1970-01-01T00:53:40.000Z, or as soon as its login or secret changes',
    );
  });

  it('is asked at once with another password, and then counts from the start', async () => {
    const rejected = rejecting();
    await tryHard(rejected);

    rejected.rotate();
    await tryHard(rejected);

    expect(rejected.board.signIns).toBe(2);
    expect(rejected.controller.detail).toContain('sign-in has been rejected once since');
  });

  it('is well again once it accepts the login', async () => {
    const rejected = rejecting();
    await tryHard(rejected);

    rejected.board.rejectsSignIn = false;
    rejected.pass(120);
    await rejected.controller.turnOn('1', {});

    expect(rejected.controller.rejectsSignIn).toBe(false);
    expect(rejected.controller.state).toBe('up');
  });

  it('while one of its outlets is off is reported, and no storm locks the account', async () => {
    const yaml = `
equipment:
  pdu-1: { model: apc-rpdu, address: 127.0.2.2 }
machines:
  a-[1-4]: { kind: host, power: 'pdu-1/[1-4]', offSeconds: 0.5 }
`;
    const daemon = await startDaemon({ yaml });
    const board = daemon.boards.get('pdu-1');
    let signInsBefore = 0;
    board.outlets.on('change', ({ on }) => {
      if (on) return;
      board.rejectsSignIn = true;
      signInsBefore = board.signIns;
    });

    const done = await daemon.cycle('a-[1-4]');
    const controller = await waitUntil(async () => {
      const { controllers } = await daemon.client.controllers();
      return controllers[0]?.stuckOutlets && controllers[0];
    });
    const metrics = await daemon.metrics();

    expect(done.filter(({ outcome }) => outcome === 'back' || outcome === 'on')).toEqual([]);
    expect(board.signIns - signInsBefore).toBe(1);
    expect(controller).toMatchObject({
      state: 'down',
      detail: expect.stringContaining('wrong password; sign-in has been rejected once since'),
    });
    expect(metrics).toContain('skolo_power_sign_in_rejected{controller="pdu-1"} 1');
  });
});
