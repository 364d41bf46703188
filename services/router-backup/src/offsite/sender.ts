/**
 * Sends one destination's queue in the background: in order for each device, with growing pauses between retries while the destination
 * does not accept versions. Removes old copies once a day.
 */

import { type BackOffOptions, backOffMs, errorText } from '@skolo/base';
import type { LastSuccess } from '@skolo/common';
import type { PartDeps } from '../part-deps.ts';
import { type Backend, DeviceBlocked, VersionGone } from './backend.ts';
import { type Destination, successOf } from './destination.ts';
import type { Queue, WaitingCopy } from './queue.ts';

interface SenderDeps extends Pick<PartDeps, 'clock' | 'log' | 'emit'> {
  destination: Destination;
  backend: Backend;
  queue: Queue;
  /** Queues the versions that the destination lacks, before anything is sent. @throws BackupError */
  queueMissing(): Promise<void>;
  lastSuccess: Pick<LastSuccess, 'mark'>;
  pause(ms: number, signal: AbortSignal): Promise<void>;
  backOff: BackOffOptions;
}

/** Times are seconds of uptime. */
interface Failure {
  count: number;
  retryAt: number;
  why: string;
}

const aDay = 24 * 3600;

export class Sender {
  private readonly deps: SenderDeps;
  private readonly stopping = new AbortController();
  private waking = new AbortController();
  private running: Promise<void> = Promise.resolve();
  private isComplete = false;
  /** The destination's back-off. */
  private failure: Failure | undefined;
  /** Back-off of single devices. */
  private readonly blocked = new Map<string, Failure>();
  private pruneAt = Number.NEGATIVE_INFINITY;

  constructor(deps: SenderDeps) {
    this.deps = deps;
  }

  /** Why a version is not sent; undefined: all are. */
  get problem(): string | undefined {
    const [first] = this.blocked;
    return this.failure?.why ?? (first && `${first[0]}: ${first[1].why}`);
  }

  start(): void {
    this.running = this.run();
  }

  /** There is more to send. Back-off continues. */
  wake(): void {
    this.waking.abort();
  }

  /** Missing versions could not be determined. */
  checkAgain(): void {
    this.isComplete = false;
    this.wake();
  }

  /** Aborts work in progress; it is still in the queue. */
  async close(): Promise<void> {
    this.stopping.abort();
    this.waking.abort();
    await this.running;
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      const seconds = this.idleFor();
      if (seconds > 0) await this.rest(seconds);
      else await this.work(signal);
    }
  }

  private async work(signal: AbortSignal): Promise<void> {
    try {
      await this.step(signal);
      this.failure = undefined;
    } catch (error) {
      if (signal.aborted) return;
      await this.failed(error);
    }
    this.report();
  }

  private async step(signal: AbortSignal): Promise<void> {
    if (this.isComplete) {
      await this.sendReady(signal);
      // Otherwise, the others and the daily check would hide a device whose versions never arrive.
      if (this.blocked.size === 0) this.deps.lastSuccess.mark(successOf(this.deps.destination));
      return;
    }
    try {
      await this.deps.queueMissing();
      this.isComplete = true;
    } catch (error) {
      // What could be queued is sent anyway.
      while (this.ready().length > 0) await this.sendReady(signal);
      throw error;
    }
  }

  /** Sends what is ready; if nothing is, removes old copies. */
  private async sendReady(signal: AbortSignal): Promise<void> {
    const { backend, queue, log } = this.deps;
    const ready = this.ready();
    if (ready.length > 0) {
      const arrived = await backend.send(ready, signal);
      for (const { place, device, version } of arrived) {
        log.info({ place, device, version }, 'version was copied off site');
      }
      await queue.arrived(arrived);
      for (const { device } of arrived) this.blocked.delete(device);
      if (backend.pruneAfterSending && this.ready().length === 0) this.pruneAt = this.now();
    } else {
      await backend.prune(signal);
      this.pruneAt = this.now() + aDay;
    }
  }

  private async failed(error: unknown): Promise<void> {
    const { log, destination, queue } = this.deps;
    const { url: place } = destination;
    if (error instanceof VersionGone) {
      const { device, version } = error.record;
      log.error(
        { place, device, version, why: errorText(error) },
        'version cannot be copied off site',
      );
      await queue.drop(error.record);
    } else if (error instanceof DeviceBlocked) {
      const { device } = error;
      this.blocked.set(device, this.after(error, this.blocked.get(device)));
      log.debug({ place, device, err: error }, 'version is blocked');
    } else {
      this.failure = this.after(error, this.failure);
      log.debug({ place, err: error }, 'off-site copies are failing');
    }
  }

  private after(error: unknown, before: Failure | undefined): Failure {
    const count = (before?.count ?? 0) + 1;
    const retryAt = this.now() + backOffMs(count, this.deps.backOff) / 1000;
    return { count, retryAt, why: errorText(error) };
  }

  private report(): void {
    const { emit, destination } = this.deps;
    const waiting = new Set(this.waiting().map(({ device }) => device));
    for (const device of [...this.blocked.keys()]) {
      if (!waiting.has(device)) this.blocked.delete(device);
    }
    emit({ type: 'degraded', what: destination.condition, why: this.problem });
  }

  private waiting(): WaitingCopy[] {
    return this.deps.queue.for(this.deps.destination.id);
  }

  /** What may be sent now: each device's versions stay in order. */
  private ready(): WaitingCopy[] {
    const now = this.now();
    return this.waiting().filter(({ device }) => (this.blocked.get(device)?.retryAt ?? now) <= now);
  }

  /** Seconds until the next work; 0: now. */
  private idleFor(): number {
    const now = this.now();
    if (this.failure !== undefined && this.failure.retryAt > now) return this.failure.retryAt - now;
    if (!this.isComplete || this.ready().length > 0) return 0;
    const retries = [...this.blocked.values()].map(({ retryAt }) => retryAt);
    return Math.max(0, Math.min(this.pruneAt, ...retries) - now);
  }

  private async rest(seconds: number): Promise<void> {
    this.waking = new AbortController();
    if (this.stopping.signal.aborted) return;
    await this.deps.pause(seconds * 1000, this.waking.signal).catch(() => undefined);
  }

  private now(): number {
    return this.deps.clock.uptime();
  }
}
