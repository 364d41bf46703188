/** Decides how long to wait for equipment: waits that always end, at their deadline, after silence, or when aborted. */

export interface Limit {
  signal: AbortSignal;
  /** By `performance.now()`. */
  endsAt: number;
  /** For errors: `within 10 s`. */
  within: string;
  /** Silence for this long also ends the wait. */
  idleMs?: number | undefined;
}

export function limitOf(signal: AbortSignal, timeoutMs: number, idleMs?: number): Limit {
  const within = `within ${secondsOf(timeoutMs)}`;
  const endsAt = performance.now() + timeoutMs;
  return { signal, endsAt, within, idleMs };
}

/** For a device to accept a connection, which it does at once or not at all. */
const connectMs = 20_000;

/** The part of a limit in which a device must be connected; the rest is for its sign-in. */
export function connectLimit(limit: Limit): Limit {
  const left = limit.endsAt - performance.now();
  return left > connectMs ? limitOf(limit.signal, connectMs, limit.idleMs) : limit;
}

/** The rest: silence does not end it, because a login server may be slow. */
export function loginLimit(limit: Limit): Limit {
  return { ...limit, idleMs: undefined };
}

/** Reported by `start` while it waits. */
export interface IdleTimer {
  /** Something arrived: restarts the idle timer. */
  received(): void;
  /** The other side is not the reason for the wait, until something is received. */
  hold(): void;
}

/**
 * A promise that is settled by `start`, the clock, or the signal (with its reason), whichever comes first. The function that `start`
 * returns is called at the end, to remove listeners.
 *
 * @param late creates the timeout error; `how` is ` within 10 s`, or `: no data for 3 s`
 */
export async function withinLimit<T>(
  { signal, endsAt, within, idleMs }: Limit,
  late: (how: string) => Error,
  start: (
    resolve: (value: T) => void,
    reject: (error: unknown) => void,
    idle: IdleTimer,
  ) => () => void,
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
        idle = new Idle(idleMs, () => reject(late(`: no data for ${secondsOf(idleMs)}`)));
      }
      abort = () => reject(signal.reason);
      signal.addEventListener('abort', abort);
      stop = start(resolve, reject, idle ?? noTimer);
    });
  } finally {
    clearTimeout(timer);
    idle?.stop();
    if (abort) signal.removeEventListener('abort', abort);
    stop?.();
  }
}

const noTimer: IdleTimer = { received: () => undefined, hold: () => undefined };

class Idle implements IdleTimer {
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

  received(): void {
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
    // Data that arrived while this process was blocked is received first.
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
