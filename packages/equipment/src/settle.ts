/** Waiting that always ends: in time, or when it is told to. */

export interface Limit {
  signal: AbortSignal;
  /** By `performance.now()`. */
  endsAt: number;
  /** For errors: `within 10 s`. */
  within: string;
}

export function limitOf(signal: AbortSignal, timeoutMs: number): Limit {
  return { signal, endsAt: performance.now() + timeoutMs, within: `within ${timeoutMs / 1000} s` };
}

/**
 * A promise that `start` settles, or the clock (with the error that `late` makes), or the signal (with its reason),
 * whichever is first. What `start` returns is called at the end, to remove listeners.
 */
export async function settle<T>(
  { signal, endsAt }: Pick<Limit, 'signal' | 'endsAt'>,
  late: () => Error,
  start: (resolve: (value: T) => void, reject: (error: unknown) => void) => () => void,
): Promise<T> {
  signal.throwIfAborted();
  let stop: (() => void) | undefined;
  let timer: NodeJS.Timeout | undefined;
  let abort: (() => void) | undefined;
  try {
    return await new Promise<T>((resolve, reject) => {
      timer = setTimeout(() => reject(late()), Math.max(0, endsAt - performance.now()));
      abort = () => reject(signal.reason);
      signal.addEventListener('abort', abort);
      stop = start(resolve, reject);
    });
  } finally {
    clearTimeout(timer);
    if (abort) signal.removeEventListener('abort', abort);
    stop?.();
  }
}
