import type { Io } from './io.ts';

/** For `using`, which then restores the default handling. */
interface Stop extends Disposable {
  /** Aborted by Ctrl-C, SIGTERM, or a closed pipe. */
  signal: AbortSignal;
  stop(): void;
}

/** For commands that run until Ctrl-C. A second Ctrl-C ends the process. */
export function untilStopped(io: Pick<Io, 'onStop'>): Stop {
  const controller = new AbortController();
  const stop = () => {
    end();
    controller.abort();
  };
  const end = io.onStop(stop);
  return { signal: controller.signal, stop, [Symbol.dispose]: end };
}
