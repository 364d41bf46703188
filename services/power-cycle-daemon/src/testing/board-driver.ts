/** A device without a wire: outlets in memory behind a driver's interface, and faults on demand. */

import { pause } from '@skolo/base';
import { type Clock, systemClock } from '@skolo/common';
import { noCrashNotes } from '@skolo/common/testing/no-crash-notes';
import {
  CannotCycle,
  type DriverKind,
  type NativeCycle,
  type OutletReading,
  type PowerDriver,
} from '@skolo/equipment/models/outlets';
import {
  DeviceBusy,
  DeviceRejected,
  DeviceUnreachable,
  SignInRejected,
} from '@skolo/equipment/transports';
import { OutletBoard } from '@skolo/simulators';
import { Controller, type ControllerDeps } from '../equipment/controller.ts';
import { SignInPause } from '../equipment/sign-in-pause.ts';

interface Board {
  name: string;
  outlets: OutletBoard;
  /** The commands that it received: `off 3`, `on 3 auto`, `cycle 3`. */
  told: string[];
  /** How often it was read, and which outlets. */
  reads: string[][];
  /** It does not respond. */
  isDown: boolean;
  /** It does not respond, and nothing reports that before the time is over. */
  isWedged: boolean;
  /** As if wedged, with a driver that ignores the end of its time. */
  isDeaf: boolean;
  /** It accepts commands and does nothing. */
  ignores: 'on' | 'off' | undefined;
  /** It rejects each command. */
  rejects: boolean;
  /** It rejects commands to turn an outlet on, and accepts the others. */
  rejectsOn: boolean;
  /** It rejects the login. */
  rejectsSignIn: boolean;
  /** How many sign-ins were attempted. */
  signIns: number;
  /** It rejects the command to cycle by itself. */
  rejectsCycles: boolean;
  /** This many times, the command is carried out but its answer is lost. */
  losesAnswers: number;
  /** This many times, somebody else is signed in. */
  busyTimes: number;
  /** Outlets that are off read as on. */
  showsOn: boolean;
  /** It does not report whether an outlet is on. */
  tellsNothing: boolean;
  /** An outlet that is set off still delivers power. */
  leaks: boolean;
  /** How long each answer takes. */
  slowMs: number;
  /** The largest number of parallel operations so far. */
  atOnce: { now: number; most: number };
  isClosed: boolean;
  failsToClose: boolean;
}

/** Boards by device name, created on first use. */
export class Boards {
  private readonly boards = new Map<string, Board>();

  get(name: string): Board {
    const known = this.boards.get(name);
    if (known !== undefined) return known;
    const outlets = new OutletBoard(
      Array.from({ length: 64 }, (_, i) => [String(i + 1), { on: true, watts: 5, mode: 'auto' }]),
    );
    const board: Board = {
      name,
      outlets,
      told: [],
      reads: [],
      isDown: false,
      isWedged: false,
      isDeaf: false,
      ignores: undefined,
      rejects: false,
      rejectsOn: false,
      rejectsSignIn: false,
      signIns: 0,
      rejectsCycles: false,
      losesAnswers: 0,
      busyTimes: 0,
      showsOn: false,
      tellsNothing: false,
      leaks: false,
      slowMs: 0,
      atOnce: { now: 0, most: 0 },
      isClosed: false,
      failsToClose: false,
    };
    this.boards.set(name, board);
    return board;
  }

  /** A driver kind for a model; `native`: it cycles by itself. */
  kind(model: string, native?: NativeCycle['offSeconds'], automaticRepair = true): DriverKind {
    return { model, automaticRepair, create: ({ name }) => boardDriver(this.get(name), native) };
  }

  driver(name: string): PowerDriver {
    return boardDriver(this.get(name), undefined);
  }

  /** A queue in front of a board. */
  controller(
    name: string,
    native?: NativeCycle['offSeconds'],
    deps: ControllerDeps = {
      clock: systemClock,
      emit: () => undefined,
      maySwitch: () => undefined,
      crashNotes: noCrashNotes,
    },
  ): Controller {
    const facts = { name, model: 'board', automaticRepair: true };
    return new Controller(facts, boardDriver(this.get(name), native), signInsOf(deps), deps);
  }
}

/** The sign-in pause of a device whose login never changes. */
export function signInsOf({ clock }: { clock: Pick<Clock, 'now'> }) {
  const uptime = () => clock.now() / 1000;
  const credentials = async () => ({ legacySsh: false });
  const pause = new SignInPause({ credentials, clock: { now: () => clock.now(), uptime } });
  return { toRead: pause, toSwitch: pause };
}

/** Turns all outlets on, like a PDU that lost its own power. */
export function reboot({ outlets }: Board): void {
  for (const outlet of outlets.names()) outlets.set(outlet, true);
}

function boardDriver(board: Board, native: NativeCycle['offSeconds'] | undefined): PowerDriver {
  async function contact<T>(signal: AbortSignal, act: () => T): Promise<T> {
    board.atOnce.now += 1;
    board.atOnce.most = Math.max(board.atOnce.most, board.atOnce.now);
    try {
      if (board.isDown) throw new DeviceUnreachable(board.name, 'connection refused');
      board.signIns += 1;
      if (board.rejectsSignIn) throw new SignInRejected(board.name, 'wrong password');
      if (board.isDeaf) await new Promise(() => undefined);
      if (board.isWedged) await pause(3_600_000, signal);
      if (board.busyTimes > 0) {
        board.busyTimes -= 1;
        throw new DeviceBusy(board.name, 'another session is open');
      }
      // An answer takes a turn of the event loop, so that others can run in between.
      await pause(board.slowMs, signal);
      return act();
    } finally {
      board.atOnce.now -= 1;
    }
  }

  function tell(text: string, signal: AbortSignal, act: () => void): Promise<void> {
    return contact(signal, () => {
      if (board.rejects) throw new DeviceRejected(board.name, 'no such command');
      if (board.rejectsOn && text.startsWith('on')) {
        throw new DeviceRejected(board.name, 'ERROR: PoE controller busy');
      }
      if (board.rejectsCycles && text.startsWith('cycle')) {
        throw new CannotCycle(board.name, 'no such command');
      }
      board.told.push(text);
      act();
      if (board.losesAnswers === 0) return;
      board.losesAnswers -= 1;
      throw new DeviceUnreachable(board.name, 'the connection died');
    });
  }

  function set(outlet: string, on: boolean) {
    if (board.ignores !== (on ? 'on' : 'off')) board.outlets.set(outlet, on);
  }

  return {
    read: (outlets, signal) =>
      contact(signal, () => {
        const missing = outlets.find((outlet) => !board.outlets.has(outlet));
        if (missing !== undefined) throw new DeviceRejected(board.name, `no outlet ${missing}`);
        board.reads.push([...outlets]);
        return new Map(outlets.map((outlet) => [outlet, reading(board, outlet)]));
      }),
    turnOff: (outlet, signal) => tell(`off ${outlet}`, signal, () => set(outlet, false)),
    turnOn: (outlet, { mode = 'usual' }, signal) =>
      tell(`on ${outlet} ${mode}`, signal, () => set(outlet, true)),
    ...(native !== undefined && {
      nativeCycle: {
        offSeconds: native,
        run: (outlet, offSeconds, signal) =>
          tell(`cycle ${outlet}`, signal, () => {
            set(outlet, false);
            const ms = native === 'fixed' ? 300 : offSeconds * 1000;
            setTimeout(() => set(outlet, true), ms).unref();
          }),
      },
    }),
    close: async () => {
      board.isClosed = true;
      if (board.failsToClose) throw new Error('nobody to take leave of');
    },
  };
}

function reading({ outlets, tellsNothing, leaks, showsOn }: Board, outlet: string): OutletReading {
  if (tellsNothing) return { state: 'unknown' };
  const { on: isOn, mode } = outlets.get(outlet);
  const on = isOn || showsOn;
  return {
    state: on ? 'on' : 'off',
    delivering: (on && !outlets.isFaulty(outlet)) || leaks,
    ...(outlets.isFaulty(outlet) && { fault: 'Fault' }),
    watts: outlets.watts(outlet),
    ...(on && mode !== undefined && { mode }),
  };
}
