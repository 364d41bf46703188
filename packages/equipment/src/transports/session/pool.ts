/**
 * Decides how long a session with a switch stays open: shared, at most one at a time, kept for a moment, so that ten ports need one
 * sign-in. Old switches allow few sessions, and count a broken one until it times out.
 */
import { DeviceRejected, SignInRejected } from '../errors.ts';

export interface PoolSession {
  /** False if it is known to be unusable. */
  isOpen(): boolean;
  /** Never throws. */
  close(): Promise<void>;
  /** The only `open` that may get it again, if others sign in with another login. */
  openedBy?: unknown;
}

/** One device. */
interface DeviceQueue {
  key: string;
  isBusy: boolean;
  /** In order of arrival. */
  waiting: (() => void)[];
  kept: { session: PoolSession; timer: NodeJS.Timeout } | undefined;
}

export class SessionPool {
  private readonly idleMs: number;
  private readonly queues = new Map<string, DeviceQueue>();
  private readonly closing = new AbortController();
  private emptied: (() => void) | undefined;

  /** @param idleMs how long an unused session is kept */
  constructor({ idleMs = 2000 } = {}) {
    this.idleMs = idleMs;
  }

  /**
   * Uses the session of `key`, which is opened if there is none, after all earlier callers are done. It is kept for the next one, unless
   * the failure of the work leaves it in an unknown state.
   *
   * @param key the device's name; the same kind of session each time
   * @param open gets a signal that is also aborted when the pool is closed, as does `work`
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
      const queue = await this.turn(key, either.signal);
      return await this.workIn(queue, open, work, either.signal);
    } finally {
      for (const source of sources) source.removeEventListener('abort', abort);
    }
  }

  /** Closes the session of `key`, if it is kept and unused. */
  async end(key: string): Promise<void> {
    const queue = this.queues.get(key);
    if (queue !== undefined && !queue.isBusy) await this.endKept(queue);
  }

  /** Aborts all work, and closes all sessions. */
  async close(): Promise<void> {
    this.closing.abort(new Error('the sessions are being closed'));
    await Promise.all([...this.queues.keys()].map((key) => this.end(key)));
    if (this.queues.size === 0) return;
    await new Promise<void>((resolve) => {
      this.emptied = resolve;
    });
  }

  private async turn(key: string, signal: AbortSignal): Promise<DeviceQueue> {
    const queue = this.queues.get(key) ?? { key, isBusy: false, waiting: [], kept: undefined };
    this.queues.set(key, queue);
    if (!queue.isBusy) {
      queue.isBusy = true;
      return queue;
    }
    return await new Promise<DeviceQueue>((resolve, reject) => {
      const start = () => {
        signal.removeEventListener('abort', abort);
        resolve(queue);
      };
      const abort = () => {
        queue.waiting.splice(queue.waiting.indexOf(start), 1);
        reject(signal.reason);
      };
      queue.waiting.push(start);
      signal.addEventListener('abort', abort, { once: true });
    });
  }

  private async workIn<S extends PoolSession, T>(
    queue: DeviceQueue,
    open: (signal: AbortSignal) => Promise<S>,
    work: (session: S, signal: AbortSignal) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T> {
    let session: S | undefined;
    let isGood = false;
    try {
      session = await this.sessionOf(queue, open, signal);
      const result = await work(session, signal);
      isGood = true;
      return result;
    } catch (error) {
      isGood = error instanceof DeviceRejected || error instanceof SignInRejected;
      throw error;
    } finally {
      this.done(queue, session, isGood);
    }
  }

  private async sessionOf<S extends PoolSession>(
    queue: DeviceQueue,
    open: (signal: AbortSignal) => Promise<S>,
    signal: AbortSignal,
  ): Promise<S> {
    // A key's sessions come from earlier `open` calls for the same key.
    const session = this.takeOpen(queue) as S | undefined;
    if (session?.isOpen() && (session.openedBy ?? open) === open) return session;
    await session?.close();
    signal.throwIfAborted();
    return await open(signal);
  }

  private takeOpen(queue: DeviceQueue): PoolSession | undefined {
    const { kept } = queue;
    clearTimeout(kept?.timer);
    queue.kept = undefined;
    return kept?.session;
  }

  /** Only this device's next session waits for the sign-out. */
  private done(queue: DeviceQueue, session: PoolSession | undefined, isGood: boolean): void {
    if (session === undefined) this.release(queue);
    else if (isGood && session.isOpen() && !this.closing.signal.aborted)
      this.keepOpen(queue, session);
    else void session.close().finally(() => this.release(queue));
  }

  private keepOpen(queue: DeviceQueue, session: PoolSession): void {
    const timer = setTimeout(() => void this.endKept(queue), this.idleMs).unref();
    queue.kept = { session, timer };
    this.release(queue);
  }

  private async endKept(queue: DeviceQueue): Promise<void> {
    if (queue.isBusy) return;
    queue.isBusy = true;
    await this.takeOpen(queue)?.close();
    this.release(queue);
  }

  private release(queue: DeviceQueue): void {
    const next = queue.waiting.shift();
    if (next !== undefined) {
      next();
      return;
    }
    queue.isBusy = false;
    if (queue.kept !== undefined) return;
    this.queues.delete(queue.key);
    if (this.queues.size === 0) this.emptied?.();
  }
}
