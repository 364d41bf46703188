/**
 * Empties the queue of one place, beside all else that goes on: in order for each device, with longer and longer pauses
 * while the place does not take it, and tidies up once a day.
 */
import { type BackOffOptions, backOffMs, type Clock, errorText, type Logger } from '@skolo/common';
import { type Carrier, HeldBack, Lost } from './carrier.ts';
import type { UploadRecord } from './records.ts';

export interface CourierDeps {
  /** For people. */
  url: string;
  carrier: Carrier;
  /** What waits, the oldest first. */
  waiting(): readonly UploadRecord[];
  /** Puts what is missing into the queue, before anything is sent. @throws BackupError */
  makeUp(): Promise<void>;
  sent(records: readonly UploadRecord[]): Promise<void>;
  lost(record: UploadRecord): Promise<void>;
  /** The place worked just now. */
  onSuccess(): void;
  /** Why something does not leave, for people; undefined: all does. */
  onProblem(why: string | undefined): void;
  clock: Clock;
  log: Logger;
  pause(ms: number, signal: AbortSignal): Promise<void>;
  backOff: BackOffOptions;
  /** Seconds from one tidying to the next. */
  tidyEvery: number;
}

/** Until when something is not tried again, by the clock that does not jump. */
interface Trouble {
  failures: number;
  due: number;
  why: string;
}

export class Courier {
  private readonly deps: CourierDeps;
  private readonly stopping = new AbortController();
  private waking = new AbortController();
  private running: Promise<void> = Promise.resolve();
  private isMadeUp = false;
  /** The place's. */
  private trouble: Trouble | undefined;
  /** Of single devices. */
  private readonly held = new Map<string, Trouble>();
  private tidyAt = Number.NEGATIVE_INFINITY;

  constructor(deps: CourierDeps) {
    this.deps = deps;
  }

  start(): void {
    this.running = this.run();
  }

  /** There is more to do. What is to be waited for still is. */
  wake(): void {
    this.waking.abort();
  }

  /** Gives up what is under way; it is still in the queue. */
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
      this.trouble = undefined;
      this.tellProblem();
    } catch (error) {
      if (signal.aborted) return;
      await this.failed(error);
    }
  }

  private async step(signal: AbortSignal): Promise<void> {
    const { carrier, sent, makeUp, onSuccess, tidyEvery } = this.deps;
    if (!this.isMadeUp) {
      await makeUp();
      this.isMadeUp = true;
      return;
    }
    const ready = this.ready();
    if (ready.length > 0) {
      const arrived = await carrier.send(ready, signal);
      await sent(arrived);
      for (const { device } of arrived) this.held.delete(device);
      if (carrier.tidyAfterSending && this.ready().length === 0) this.tidyAt = this.now();
    } else {
      await carrier.tidy(signal);
      this.tidyAt = this.now() + tidyEvery;
    }
    onSuccess();
  }

  private async failed(error: unknown): Promise<void> {
    const { log, url, lost } = this.deps;
    if (error instanceof Lost) {
      const { device, version } = error.record;
      log.error({ place: url, device, version, why: errorText(error) }, 'version cannot leave');
      await lost(error.record);
      return;
    }
    if (error instanceof HeldBack) {
      const { device } = error;
      this.held.set(device, this.after(error, this.held.get(device)));
      log.debug({ place: url, device, err: error }, 'version is held back');
    } else {
      this.trouble = this.after(error, this.trouble);
      log.debug({ place: url, err: error }, 'place off site does not work');
    }
    this.tellProblem();
  }

  private after(error: unknown, before: Trouble | undefined): Trouble {
    const failures = (before?.failures ?? 0) + 1;
    const due = this.now() + backOffMs(failures, this.deps.backOff) / 1000;
    return { failures, due, why: errorText(error) };
  }

  private tellProblem(): void {
    const waiting = new Set(this.deps.waiting().map(({ device }) => device));
    for (const device of [...this.held.keys()]) if (!waiting.has(device)) this.held.delete(device);
    const [device] = this.held;
    this.deps.onProblem(this.trouble?.why ?? (device && `${device[0]}: ${device[1].why}`));
  }

  /** What may be sent now: nothing of a device before what waits longer of it. */
  private ready(): UploadRecord[] {
    const now = this.now();
    return this.deps.waiting().filter(({ device }) => (this.held.get(device)?.due ?? now) <= now);
  }

  /** Seconds; 0: there is something to do. */
  private idleFor(): number {
    const now = this.now();
    if (this.trouble !== undefined && this.trouble.due > now) return this.trouble.due - now;
    if (!this.isMadeUp || this.ready().length > 0) return 0;
    const dues = [...this.held.values()].map(({ due }) => due);
    return Math.max(0, Math.min(this.tidyAt, ...dues) - now);
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
