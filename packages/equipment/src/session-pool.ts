/**
 * Sessions that are shared: at most one to a device at a time, kept open for a moment, so that ten ports of one switch are
 * one login. Old switches have few lines, and count one that was cut until it times out.
 */
import { DeviceRefused, SignInRefused } from './errors.ts';

export interface PoolSession {
  /** False when it is known to be of no more use. */
  isOpen(): boolean;
  /** Never throws. */
  close(): Promise<void>;
}

export interface SessionPoolOptions {
  /** How long a session is kept that nobody uses; 2000 when absent. */
  idleMs?: number;
}

/** One device. */
interface Lane {
  key: string;
  isBusy: boolean;
  /** In the order in which they came. */
  waiting: (() => void)[];
  kept: { session: PoolSession; timer: NodeJS.Timeout } | undefined;
}

export class SessionPool {
  private readonly idleMs: number;
  private readonly lanes = new Map<string, Lane>();
  private readonly closing = new AbortController();
  private emptied: (() => void) | undefined;

  constructor({ idleMs = 2000 }: SessionPoolOptions = {}) {
    this.idleMs = idleMs;
  }

  /**
   * Works with the session of `key`, which is opened if there is none, once all who came earlier are done. It is kept
   * for the next one, unless the work failed in a way that leaves it in doubt.
   *
   * @param key the device's name; the same kind of session each time
   * @param open is given a signal that also ends when the pool is closed; so is `work`
   */
  async use<S extends PoolSession, T>(
    key: string,
    open: (signal: AbortSignal) => Promise<S>,
    work: (session: S, signal: AbortSignal) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T> {
    const either = new AbortController();
    const sources = [signal, this.closing.signal];
    const abort = () => either.abort(sources.find((source) => source.aborted)?.reason);
    for (const source of sources) source.addEventListener('abort', abort);
    try {
      for (const source of sources) source.throwIfAborted();
      const lane = await this.turn(key, either.signal);
      return await this.workIn(lane, open, work, either.signal);
    } finally {
      for (const source of sources) source.removeEventListener('abort', abort);
    }
  }

  /** Closes the session of `key`, if it is kept and nobody uses it. */
  async end(key: string): Promise<void> {
    const lane = this.lanes.get(key);
    if (lane !== undefined && !lane.isBusy) await this.endKept(lane);
  }

  /** Ends all work, and closes all sessions. */
  async close(): Promise<void> {
    this.closing.abort(new Error('the sessions are being closed'));
    await Promise.all([...this.lanes.keys()].map((key) => this.end(key)));
    if (this.lanes.size === 0) return;
    await new Promise<void>((resolve) => {
      this.emptied = resolve;
    });
  }

  private async turn(key: string, signal: AbortSignal): Promise<Lane> {
    const lane = this.lanes.get(key) ?? { key, isBusy: false, waiting: [], kept: undefined };
    this.lanes.set(key, lane);
    if (!lane.isBusy) {
      lane.isBusy = true;
      return lane;
    }
    return await new Promise<Lane>((resolve, reject) => {
      const start = () => {
        signal.removeEventListener('abort', abort);
        resolve(lane);
      };
      const abort = () => {
        lane.waiting.splice(lane.waiting.indexOf(start), 1);
        reject(signal.reason);
      };
      lane.waiting.push(start);
      signal.addEventListener('abort', abort, { once: true });
    });
  }

  private async workIn<S extends PoolSession, T>(
    lane: Lane,
    open: (signal: AbortSignal) => Promise<S>,
    work: (session: S, signal: AbortSignal) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T> {
    let session: S | undefined;
    let isGood = false;
    try {
      session = await this.sessionOf(lane, open, signal);
      const result = await work(session, signal);
      isGood = true;
      return result;
    } catch (error) {
      isGood = error instanceof DeviceRefused || error instanceof SignInRefused;
      throw error;
    } finally {
      this.done(lane, session, isGood);
    }
  }

  private async sessionOf<S extends PoolSession>(
    lane: Lane,
    open: (signal: AbortSignal) => Promise<S>,
    signal: AbortSignal,
  ): Promise<S> {
    // What a key keeps came from an earlier `open` of the same key.
    const session = this.takeKept(lane) as S | undefined;
    if (session?.isOpen()) return session;
    await session?.close();
    signal.throwIfAborted();
    return await open(signal);
  }

  private takeKept(lane: Lane): PoolSession | undefined {
    const { kept } = lane;
    clearTimeout(kept?.timer);
    lane.kept = undefined;
    return kept?.session;
  }

  /** Nobody waits for the good-bye, but the next session of this device. */
  private done(lane: Lane, session: PoolSession | undefined, isGood: boolean): void {
    if (session === undefined) this.release(lane);
    else if (isGood && session.isOpen() && !this.closing.signal.aborted) this.keep(lane, session);
    else void session.close().finally(() => this.release(lane));
  }

  private keep(lane: Lane, session: PoolSession): void {
    const timer = setTimeout(() => void this.endKept(lane), this.idleMs).unref();
    lane.kept = { session, timer };
    this.release(lane);
  }

  private async endKept(lane: Lane): Promise<void> {
    if (lane.isBusy) return;
    lane.isBusy = true;
    await this.takeKept(lane)?.close();
    this.release(lane);
  }

  private release(lane: Lane): void {
    const next = lane.waiting.shift();
    if (next !== undefined) {
      next();
      return;
    }
    lane.isBusy = false;
    if (lane.kept !== undefined) return;
    this.lanes.delete(lane.key);
    if (this.lanes.size === 0) this.emptied?.();
  }
}
