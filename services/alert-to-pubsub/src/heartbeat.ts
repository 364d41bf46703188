/**
 * Says again and again that the way works, or how it does not, to each sink that wants to know: beside all that waits for
 * it, one at a time.
 */
import { randomBytes } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { type HeartbeatMessage, type Sink, SinkError } from '@skolo/alerts';
import { type Clock, errorText, type Logger, pause as usualPause } from '@skolo/common';
import { graceMs, type Pause, within } from './deliver/within.ts';
import type { Health } from './watchdog.ts';

/** A sink that wants heartbeats, and what waits for it. */
export interface Listener {
  sink: Pick<Sink, 'name' | 'send' | 'laneOf'>;
  status(): { depth: number; oldestSeconds: number };
}

export interface HeartbeatDeps {
  /** Asked anew each time. */
  listeners(): readonly Listener[];
  /** Seconds from one to the next, asked anew each time. */
  every(): number;
  health(): Health;
  version: string;
  clock: Clock;
  log: Logger;
  pause?: Pause;
  onSent(sink: string): void;
  onFailed(sink: string, failure: { reason: string; code: string; why: string }): void;
}

/** One that takes longer, in seconds, says nothing any more. */
const mostSeconds = 10;
/** A wall clock that is moved by less is not worth another time of the start, in milliseconds. */
const jitterMs = 5000;

interface Beat {
  isUnderWay: boolean;
  /** Its time came while the one before was under way. */
  isDue: boolean;
  /** Why the last one did not arrive. */
  failing: string | undefined;
}

export class Heartbeat {
  private readonly deps: HeartbeatDeps;
  private readonly pause: Pause;
  /** By name of the sink. */
  private readonly beats = new Map<string, Beat>();
  private readonly underWay = new Set<Promise<void>>();
  private readonly stopping = new AbortController();
  private waking = new AbortController();
  private running: Promise<void> = Promise.resolve();
  private readonly startedAt: number;
  private startedWall: number;

  constructor(deps: HeartbeatDeps) {
    this.deps = deps;
    this.pause = deps.pause ?? usualPause;
    this.startedAt = deps.clock.uptime();
    this.startedWall = deps.clock.now();
    setMaxListeners(0, this.stopping.signal);
  }

  /** The first one is sent at once. */
  start(): void {
    this.running = this.run();
  }

  /** Settings have changed. */
  follow(): void {
    this.waking.abort();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    this.waking.abort();
    const over = new AbortController();
    const all = Promise.all([this.running, ...this.underWay]);
    await Promise.race([all, this.pause(graceMs, over.signal).catch(() => undefined)]);
    over.abort();
  }

  private async run() {
    const { clock, every } = this.deps;
    const { signal } = this.stopping;
    let last = Number.NEGATIVE_INFINITY;
    while (!signal.aborted) {
      const wait = last + every() - clock.uptime();
      if (wait > 0) {
        this.waking = new AbortController();
        await this.pause(wait * 1000, this.waking.signal).catch(() => undefined);
      } else {
        // In step, unless a step was missed: a computer that slept does not make up for it.
        last = -wait < every() ? last + every() : clock.uptime();
        this.beatAll();
      }
    }
  }

  private beatAll() {
    const { listeners: ask, health } = this.deps;
    // Silence is logged also where nobody listens.
    health();
    const listeners = ask();
    const names = new Set(listeners.map(({ sink }) => sink.name));
    for (const [name, { isUnderWay }] of this.beats) {
      if (!names.has(name) && !isUnderWay) this.beats.delete(name);
    }
    for (const name of names) {
      const beat = this.beats.get(name) ?? { isUnderWay: false, isDue: false, failing: undefined };
      this.beats.set(name, beat);
      beat.isDue = true;
      if (beat.isUnderWay) continue;
      const sending = this.send(name, beat).finally(() => this.underWay.delete(sending));
      this.underWay.add(sending);
    }
  }

  /** Never throws. */
  private async send(name: string, beat: Beat): Promise<void> {
    const { every, listeners } = this.deps;
    const { signal: closing } = this.stopping;
    const { pause } = this;
    beat.isUnderWay = true;
    while (beat.isDue && !closing.aborted) {
      beat.isDue = false;
      const listener = listeners().find(({ sink }) => sink.name === name);
      if (listener === undefined) break;
      const ms = Math.min(every(), mostSeconds) * 1000;
      try {
        const { sink } = listener;
        const message = this.message(listener);
        // A lane that no alert is in, so that it waits for none.
        const lane = sink.laneOf(message);
        const send = (signal: AbortSignal) => sink.send([message], lane, signal);
        await within(ms, send, { pause, closing });
        this.sent(name, beat);
      } catch (error) {
        if (!closing.aborted) this.failed(name, beat, error);
      }
    }
    beat.isUnderWay = false;
  }

  private message({ status }: Listener): HeartbeatMessage {
    const { clock, version, health } = this.deps;
    const { healthy, why, lastHeard } = health();
    const { depth, oldestSeconds } = status();
    return {
      kind: 'heartbeat',
      id: randomBytes(16).toString('hex'),
      at: timeOf(clock.now()),
      version,
      healthy,
      ...(why !== undefined && { why }),
      ...(lastHeard !== undefined && { lastHeard: timeOf(lastHeard) }),
      spoolDepth: depth,
      spoolOldestSeconds: Math.round(oldestSeconds),
      startedAt: this.started(),
    };
  }

  /** Always the same, unless the wall clock was set meanwhile. */
  private started(): string {
    const { clock } = this.deps;
    const wall = clock.now() - (clock.uptime() - this.startedAt) * 1000;
    if (Math.abs(wall - this.startedWall) > jitterMs) this.startedWall = wall;
    return timeOf(this.startedWall);
  }

  private sent(sink: string, beat: Beat) {
    const { log, onSent } = this.deps;
    if (beat.failing !== undefined) log.info({ sink }, 'heartbeat arrives again');
    beat.failing = undefined;
    onSent(sink);
  }

  private failed(sink: string, beat: Beat, error: unknown) {
    const { log, onFailed } = this.deps;
    const isKnown = error instanceof SinkError;
    const reason = isKnown ? error.reason : 'unavailable';
    const code = isKnown ? error.code : 'UNKNOWN';
    const why = errorText(error);
    if (beat.failing !== reason) {
      log.warn({ sink, reason, code, why }, 'heartbeat does not arrive');
    }
    beat.failing = reason;
    onFailed(sink, { reason, code, why });
  }
}

function timeOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
