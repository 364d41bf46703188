/** Waiting that always ends: in time, when nothing is heard any more, or when it is told to. */

export interface Limit {
  signal: AbortSignal;
  /** By `performance.now()`. */
  endsAt: number;
  /** For errors: `within 10 s`. */
  within: string;
  /** Nothing heard for this long is an end, too. */
  idleMs?: number;
}

export function limitOf(signal: AbortSignal, timeoutMs: number, idleMs?: number): Limit {
  const within = `within ${secondsOf(timeoutMs)}`;
  const endsAt = performance.now() + timeoutMs;
  return { signal, endsAt, within, ...(idleMs !== undefined && { idleMs }) };
}

/** What `start` tells while it waits. */
export interface Ear {
  /** Something came: the idle time begins anew. */
  heard(): void;
  /** It is not the other side that we wait for, until something is heard. */
  hold(): void;
}

/**
 * A promise that `start` settles, or the clock, or the signal (with its reason), whichever is first. What `start` returns
 * is called at the end, to remove listeners.
 *
 * @param late makes the error of the clock; `how` is ` within 10 s`, or `: nothing came for 3 s`
 */
export async function settle<T>(
  { signal, endsAt, within, idleMs }: Limit,
  late: (how: string) => Error,
  start: (resolve: (value: T) => void, reject: (error: unknown) => void, ear: Ear) => () => void,
): Promise<T> {
  signal.throwIfAborted();
  let stop: (() => void) | undefined;
  let timer: NodeJS.Timeout | undefined;
  let idle: Idle | undefined;
  let abort: (() => void) | undefined;
  try {
    return await new Promise<T>((resolve, reject) => {
      const left = Math.max(0, endsAt - performance.now());
      timer = setTimeout(() => reject(late(` ${within}`)), left);
      if (idleMs !== undefined) {
        idle = new Idle(idleMs, () => reject(late(`: nothing came for ${secondsOf(idleMs)}`)));
      }
      abort = () => reject(signal.reason);
      signal.addEventListener('abort', abort);
      stop = start(resolve, reject, idle ?? deaf);
    });
  } finally {
    clearTimeout(timer);
    idle?.stop();
    if (abort) signal.removeEventListener('abort', abort);
    stop?.();
  }
}

const deaf: Ear = { heard: () => undefined, hold: () => undefined };

class Idle implements Ear {
  private readonly ms: number;
  private readonly late: () => void;
  private heardAt = performance.now();
  private held = false;
  private stopped = false;
  private timer: NodeJS.Timeout | undefined;

  constructor(ms: number, late: () => void) {
    this.ms = ms;
    this.late = late;
    this.wait(ms);
  }

  heard(): void {
    this.heardAt = performance.now();
    this.held = false;
  }

  hold(): void {
    this.held = true;
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  private wait(ms: number) {
    // What came while this process was held up is heard first.
    this.timer = setTimeout(() => setImmediate(() => this.check()), ms);
  }

  private check() {
    if (this.stopped) return;
    const left = this.held ? this.ms : this.heardAt + this.ms - performance.now();
    if (left > 0) this.wait(left);
    else this.late();
  }
}

function secondsOf(ms: number): string {
  return `${ms < 1000 ? Math.round(ms) / 1000 : Math.round(ms / 100) / 10} s`;
}
