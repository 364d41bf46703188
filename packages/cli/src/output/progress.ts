/** Shows the progress of work: lines that are redrawn in a terminal, otherwise a line for each event. */
import { complain, exitCodes } from '../errors.ts';
import type { Io } from '../io.ts';
import { type FrameSize, LiveArea } from './live-area.ts';
import { plain } from './text.ts';

interface Progress {
  /** Redraws soon. */
  changed(): void;
  /** Without a terminal, prints a line. */
  print(text: string): void;
  /** Whether lines are redrawn. */
  isLive: boolean;
  /** Stops drawing. `keep`: leaves the last frame on screen. */
  end(keep?: boolean): void;
}

/** Limits of the interval between frames. */
const framesMs = { least: 100, most: 1000 };

/**
 * Redraws after a change, and every second.
 *
 * @param frame lines to draw in a terminal, narrower and fewer than its size
 * @param print of a line without a terminal
 */
export function showProgress(
  io: Io,
  frame: (size: FrameSize) => string[],
  print = (text: string) => io.out(plain(text)),
): Progress {
  if (!isRedrawn(io)) return linesOnly(print);
  const area = new LiveArea(io);
  let soon: NodeJS.Timeout | undefined;
  const ticking = setInterval(draw, framesMs.most);
  function draw() {
    clearTimeout(soon);
    soon = undefined;
    const { columns = 80, rows = 24, colour } = io;
    area.show(frame({ columns, rows, colour }));
  }
  draw();
  return {
    isLive: true,
    print() {},
    changed() {
      soon ??= setTimeout(draw, framesMs.least);
    },
    end(keep = false) {
      clearInterval(ticking);
      clearTimeout(soon);
      if (keep) draw();
      else area.clear();
    },
  };
}

/** Nothing is redrawn. */
export function linesOnly(print: Progress['print']): Progress {
  return { isLive: false, print, changed() {}, end() {} };
}

/** Whether progress is redrawn in place. */
export function isRedrawn(io: Io): boolean {
  return io.rows !== undefined && io.columns !== undefined;
}

interface Waiting {
  /** Shows no progress. */
  json: boolean;
  /** The frame to draw in a terminal. */
  frame(size: FrameSize): string[];
  /** Without a terminal, prints what has happened since the last call. */
  printNew(): void;
  /** `the run continues`, if there is no connection. */
  continues: string;
  /** Printed if the waiting ends early. */
  howToContinue(): string;
}

interface Display {
  changed(): void;
  lost(why: string): void;
}

/** Waits for a service to finish work. False after Ctrl-C or another signal, which ends only the waiting and sets the exit code. */
export async function waitWithProgress(
  io: Io,
  { json, frame, printNew, continues, howToContinue }: Waiting,
  wait: (display: Display, signal: AbortSignal) => Promise<void>,
): Promise<boolean> {
  const progress = json ? undefined : showProgress(io, frame);
  let isLost = false;
  const display = {
    changed() {
      isLost = false;
      if (progress?.isLive === false) printNew();
      progress?.changed();
    },
    lost(why: string) {
      if (progress?.isLive === false && !isLost) {
        complain(io, `no connection (${why}); ${continues}; retrying`);
      }
      isLost = true;
      progress?.changed();
    },
  };
  const interrupt = new AbortController();
  const stopListening = io.onSignal(() => interrupt.abort());
  try {
    await wait(display, interrupt.signal);
    progress?.end();
    return true;
  } catch (error) {
    progress?.end(true);
    io.err(howToContinue());
    if (!interrupt.signal.aborted) throw error;
    io.exitCode = exitCodes.interrupted;
    return false;
  } finally {
    stopListening();
  }
}
