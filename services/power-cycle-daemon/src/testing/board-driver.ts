/** A device without a wire: outlets in memory, driven as a driver drives a real one, and faults on demand. */
import { DeviceUnreachable } from '@skolo/equipment';
import { OutletBoard } from '@skolo/simulators';
import type { DriverKind, NativeCycle, OutletReading, PowerDriver } from '../drivers/driver.ts';
import { pause } from '../pause.ts';

export interface Board {
  name: string;
  outlets: OutletBoard;
  /** What it was told: `off 3`, `on 3 auto`, `cycle 3`. */
  told: string[];
  /** Nothing answers. */
  isDown: boolean;
  /** Nothing answers, and nobody says so until the time is over. */
  isWedged: boolean;
  /** Commands are taken and do nothing. */
  ignores: 'on' | 'off' | undefined;
  /** The command is carried out and its answer is lost, so many times. */
  losesAnswers: number;
}

/** Boards by the name of their device, made when they are first asked for. */
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
      isDown: false,
      isWedged: false,
      ignores: undefined,
      losesAnswers: 0,
    };
    this.boards.set(name, board);
    return board;
  }

  /** A kind of driver for a model; `native`: it cycles by itself. */
  kind(model: string, native?: NativeCycle['offSeconds'], experimental = false): DriverKind {
    return { model, experimental, create: ({ name }) => boardDriver(this.get(name), native) };
  }
}

function boardDriver(board: Board, native: NativeCycle['offSeconds'] | undefined): PowerDriver {
  async function contact(signal: AbortSignal): Promise<void> {
    if (board.isDown) throw new DeviceUnreachable(board.name, 'connection refused');
    if (board.isWedged) await pause(3_600_000, signal);
  }

  async function tell(text: string, signal: AbortSignal, act: () => void): Promise<void> {
    await contact(signal);
    board.told.push(text);
    act();
    if (board.losesAnswers === 0) return;
    board.losesAnswers -= 1;
    throw new DeviceUnreachable(board.name, 'the connection died');
  }

  function set(outlet: string, on: boolean) {
    if (board.ignores !== (on ? 'on' : 'off')) board.outlets.set(outlet, on);
  }

  return {
    async read(outlets, signal) {
      await contact(signal);
      return new Map(outlets.map((outlet) => [outlet, reading(board, outlet)]));
    },
    turnOff: (outlet, signal) => tell(`off ${outlet}`, signal, () => set(outlet, false)),
    turnOn: (outlet, mode, signal) =>
      tell(`on ${outlet} ${mode ?? 'usual'}`, signal, () => set(outlet, true)),
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
    close: async () => undefined,
  };
}

function reading({ outlets }: Board, outlet: string): OutletReading {
  const { on, mode } = outlets.get(outlet);
  return {
    state: on ? 'on' : 'off',
    delivering: on,
    watts: outlets.watts(outlet),
    ...(on && mode !== undefined && { mode }),
  };
}
