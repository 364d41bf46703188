import type { Io } from './io.ts';

interface Stop {
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

/** A signal that is aborted when nothing is heard for as long as was expected, or when the given one is. */
interface SilenceGuard {
  signal: AbortSignal;
  /** From now on, so many milliseconds. */
  expect(ms: number): void;
  end(): void;
}

/** @param silent gives the reason to abort with */
export function guardSilence(
  signal: AbortSignal | undefined,
  silent: (ms: number) => Error,
): SilenceGuard {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  return {
    signal: AbortSignal.any([controller.signal, ...(signal ? [signal] : [])]),
    expect(ms) {
      clearTimeout(timer);
      timer = setTimeout(() => controller.abort(silent(ms)), ms);
    },
    end() {
      clearTimeout(timer);
      controller.abort();
    },
  };
}
