import type { Io } from './io.ts';

export interface Stop {
  /** Aborted by Ctrl-C, by SIGTERM, and when nobody reads what is printed. */
  signal: AbortSignal;
  stop(): void;
  /** The process is its own master again. */
  end(): void;
}

/** For what goes on until somebody has seen enough. Whoever is in a hurry presses Ctrl-C a second time. */
export function untilStopped(io: Pick<Io, 'onStop'>): Stop {
  const controller = new AbortController();
  const stop = () => {
    end();
    controller.abort();
  };
  const end = io.onStop(stop);
  return { signal: controller.signal, stop, end };
}
