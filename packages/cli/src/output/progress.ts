/** Waits for a service to finish work, and shows its progress. */
import { complain, exitCodes } from '../errors.ts';
import type { Io } from '../io.ts';
import { type FrameSize, livePicture } from './live-area.ts';

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
  /** Stops drawing. `keep`: leaves the last frame on screen. */
  end(keep: boolean): void;
}

/** False after Ctrl-C or another signal, which ends only the waiting and sets the exit code. */
export async function waitWithProgress(
  io: Io,
  waiting: Waiting,
  wait: (display: Display, signal: AbortSignal) => Promise<void>,
): Promise<boolean> {
  const display = displayOf(io, waiting);
  const interrupt = new AbortController();
  const stopListening = io.onSignal(() => interrupt.abort());
  try {
    await wait(display, interrupt.signal);
    display.end(false);
    return true;
  } catch (error) {
    display.end(true);
    io.err(waiting.howToContinue());
    if (!interrupt.signal.aborted) throw error;
    io.exitCode = exitCodes.interrupted;
    return false;
  } finally {
    stopListening();
  }
}

/** Whether progress is redrawn in place. */
export function isRedrawn(io: Io): boolean {
  return io.rows !== undefined && io.columns !== undefined;
}

function displayOf(io: Io, { json, frame, printNew, continues }: Waiting): Display {
  if (json) return { changed() {}, lost() {}, end() {} };
  if (isRedrawn(io)) {
    const { changed, end } = livePicture(io, frame);
    return { changed, lost: changed, end };
  }
  let isLost = false;
  return {
    changed() {
      isLost = false;
      printNew();
    },
    lost(why) {
      if (!isLost) complain(io, `no connection (${why}); ${continues}; retrying`);
      isLost = true;
    },
    end() {},
  };
}
