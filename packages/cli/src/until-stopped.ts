import type { Io } from './io.ts';

interface Stop {
  /** Aborted by Ctrl-C, SIGTERM, or a closed pipe. */
  signal: AbortSignal;
  stop(): void;
  /** Restores the default handling. */
  end(): void;
}

/** For commands that run until Ctrl-C. A second Ctrl-C ends the process. */
export function untilStopped(io: Pick<Io, 'onStop'>): Stop {
  const controller = new AbortController();
  const stop = () => {
    end();
    controller.abort();
  };
  const end = io.onStop(stop);
  return { signal: controller.signal, stop, end };
}

/** A signal that is aborted after a silence, or with the given signal. */
interface SilenceGuard {
  signal: AbortSignal;
  /** Restarts the timer. */
  expect(ms: number): void;
  end(): void;
}

/** @param silent makes the reason of the abort */
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
