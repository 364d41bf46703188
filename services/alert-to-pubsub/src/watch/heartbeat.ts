/** Sends heartbeats to each sink that receives them, ahead of all waiting messages, one at a time; one that takes too long is given up. */
import { randomBytes } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import type { HeartbeatMessage, Sink } from '@skolo/alerts';
import { isoTime, pause as usualPause } from '@skolo/base';
import type { Clock } from '@skolo/common';
import { asSinkError, graceMs, type Pause, sendWithin, settled } from '../delivery/attempts.ts';
import type { EmitAlertEvent } from '../events.ts';
import type { Health } from './watchdog.ts';

/** A sink that receives heartbeats, and what waits for it. */
export interface HeartbeatTarget {
  sink: Pick<Sink, 'name' | 'send' | 'orderingKeyOf'>;
  status(): { depth: number; oldestSeconds: number };
}

export interface HeartbeatDeps {
  targets(): readonly HeartbeatTarget[];
  /** Period in seconds. */
  every(): number;
  health(): Health;
  version: string;
  clock: Clock;
  emit: EmitAlertEvent;
  pause?: Pause;
}

/** A heartbeat that takes longer, in seconds, is outdated. */
const mostSeconds = 10;
/** Smaller moves of the wall clock do not change the start time. In milliseconds. */
const jitterMs = 5000;

interface Beat {
  isUnderWay: boolean;
  /** The next one became due while the last one was in flight. */
  isDue: boolean;
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

  /** The first one is sent immediately. */
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
    await settled(Promise.all([this.running, ...this.underWay]), graceMs, this.pause);
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
    const { targets, health } = this.deps;
    // Detects silence even if no sink receives heartbeats.
    health();
    const names = new Set(targets().map(({ sink }) => sink.name));
    for (const [name, { isUnderWay }] of this.beats) {
      if (!names.has(name) && !isUnderWay) this.beats.delete(name);
    }
    for (const name of names) {
      const beat = this.beats.get(name) ?? { isUnderWay: false, isDue: false };
      this.beats.set(name, beat);
      beat.isDue = true;
      if (beat.isUnderWay) continue;
      const sending = this.send(name, beat).finally(() => this.underWay.delete(sending));
      this.underWay.add(sending);
    }
  }

  /** Never throws. */
  private async send(name: string, beat: Beat): Promise<void> {
    const { every, targets, emit } = this.deps;
    const { signal: closing } = this.stopping;
    const { pause } = this;
    beat.isUnderWay = true;
    while (beat.isDue && !closing.aborted) {
      beat.isDue = false;
      const target = targets().find(({ sink }) => sink.name === name);
      if (target === undefined) break;
      const ms = Math.min(every(), mostSeconds) * 1000;
      try {
        const { sink } = target;
        const message = this.message(target);
        // Not the key of any alert, so it waits for none.
        const key = sink.orderingKeyOf(message);
        const send = (signal: AbortSignal) => sink.send([message], key, signal);
        await sendWithin(ms, send, { pause, closing });
        emit({ type: 'heartbeat-sent', sink: name });
      } catch (error) {
        if (closing.aborted) break;
        const { reason, code, message: why } = asSinkError(error);
        emit({ type: 'heartbeat-failed', sink: name, reason, code, why });
      }
    }
    beat.isUnderWay = false;
  }

  private message({ status }: HeartbeatTarget): HeartbeatMessage {
    const { clock, version, health } = this.deps;
    const { healthy, why, lastHeard } = health();
    const { depth, oldestSeconds } = status();
    return {
      kind: 'heartbeat',
      id: randomBytes(16).toString('hex'),
      at: isoTime(clock.now()),
      version,
      healthy,
      ...(why !== undefined && { why }),
      ...(lastHeard !== undefined && { lastHeard: isoTime(lastHeard) }),
      spoolDepth: depth,
      spoolOldestSeconds: Math.round(oldestSeconds),
      startedAt: this.started(),
    };
  }

  /** Constant, unless the wall clock was set meanwhile. */
  private started(): string {
    const { clock } = this.deps;
    const wall = clock.now() - (clock.uptime() - this.startedAt) * 1000;
    if (Math.abs(wall - this.startedWall) > jitterMs) this.startedWall = wall;
    return isoTime(this.startedWall);
  }
}
