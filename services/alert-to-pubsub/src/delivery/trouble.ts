/**
 * What a failure means: the sink is down, one lane is blocked, or one message is to blame.
 *
 * While everything fails, the sink as a whole backs off, and nothing is blamed: a wrong setting rejects every message in
 * the same way. A lane is blocked when it fails while others get through; it backs off by itself. Its first message is to
 * blame once it has failed several times, and between any two of these failures others got through at their first attempt.
 */
import type { SinkError, SinkReason } from '@skolo/alerts';
import type { Clock } from '@skolo/common';
import type { EmitAlertEvent } from '../events.ts';
import type { Lane } from './lanes.ts';

export interface TroubleDeps {
  sink: string;
  clock: Clock;
  emit: EmitAlertEvent;
}

/** Who backs off: the sink; the lane; nobody, since the sink was found to be down meanwhile. Or the message is to blame. */
export type Verdict = 'sink' | 'lane' | 'nobody' | 'message';

/**
 * Failures of one message, each with successes of others since the one before, until it is to blame. A sink that rejects
 * a message seldom means something else; one that is unavailable or slow may be so by chance.
 */
const strikes: Partial<Record<SinkReason, number>> = {
  refused: 4,
  unavailable: 8,
  timeout: 8,
  permission: 8,
  topic: 8,
};
/** Successes of others at the first attempt for each such failure: fewer, and the sink itself comes and goes. */
const mostlyWell = 2;

interface Failed {
  at: number;
  /** First attempts of all lanes by then. */
  worked: number;
  failed: number;
}

export class Trouble {
  /** Of the sink, in a row; those that were under way together are one. */
  failures = 0;
  private readonly deps: TroubleDeps;
  /** Counts what happens, so that it is known what came first. */
  private moment = 0;
  private workedAt = 0;
  private foundDownAt = 0;
  /** First attempts: how many worked, how many failed. */
  private firstWorked = 0;
  private firstFailed = 0;
  /** Lanes that have failed and not worked since. */
  private readonly failing = new Map<Lane, Failed>();
  private now: { since: number; reason: SinkReason; detail: string } | undefined;

  constructor(deps: TroubleDeps) {
    this.deps = deps;
  }

  /** Something is sent. Gives the moment, to tell with how it went. */
  begin(): number {
    this.moment += 1;
    return this.moment;
  }

  /** What was sent then has arrived. */
  worked(lane: Lane, begun: number): void {
    this.moment += 1;
    this.workedAt = this.moment;
    if (lane.failures === 0) this.firstWorked += 1;
    this.over(lane);
    if (begun > this.foundDownAt) this.failures = 0;
    this.lookIfOver();
  }

  /** The message that blocked it is a dead letter. */
  released(lane: Lane): void {
    this.over(lane);
    this.lookIfOver();
  }

  failed(lane: Lane, begun: number, error: SinkError): Verdict {
    this.note(error);
    const before = this.failing.get(lane);
    const othersWork = this.workedAt > (before?.at ?? begun);
    if (before !== undefined && this.isStrike(before)) lane.strikes += 1;
    if (lane.failures === 0) this.firstFailed += 1;
    this.moment += 1;
    lane.failures += 1;
    const { moment: at, firstWorked: worked, firstFailed: failed } = this;
    this.failing.set(lane, { at, worked, failed });
    if (othersWork) {
      const most = strikes[error.reason] ?? Number.POSITIVE_INFINITY;
      return lane.strikes >= most ? 'message' : 'lane';
    }
    if (begun < this.foundDownAt) return 'nobody';
    this.failures += 1;
    this.foundDownAt = this.moment;
    return 'sink';
  }

  /** It has nothing to send any more. */
  forget(isGone: (lane: Lane) => boolean): void {
    for (const lane of [...this.failing.keys()]) if (isGone(lane)) this.failing.delete(lane);
    this.lookIfOver();
  }

  /** Times in milliseconds since 1970, by the wall clock of now. */
  status(): { failingSince?: number; reason?: SinkReason; detail?: string; down?: true } {
    if (this.now === undefined) return {};
    const { clock } = this.deps;
    const { since, reason, detail } = this.now;
    const failingSince = clock.now() - (clock.uptime() - since) * 1000;
    return { failingSince, reason, detail, ...(this.failures > 0 && { down: true }) };
  }

  private isStrike(before: Failed): boolean {
    const worked = this.firstWorked - before.worked;
    const failed = this.firstFailed - before.failed;
    return worked > 0 && worked >= mostlyWell * failed;
  }

  private over(lane: Lane) {
    lane.failures = 0;
    lane.strikes = 0;
    this.failing.delete(lane);
  }

  private note({ reason, message: detail }: SinkError) {
    const since = this.now?.since ?? this.deps.clock.uptime();
    this.now = { since, reason, detail };
  }

  private lookIfOver() {
    if (this.now === undefined || this.failures > 0 || this.failing.size > 0) return;
    const { clock, emit, sink } = this.deps;
    const seconds = Math.round(clock.uptime() - this.now.since);
    this.now = undefined;
    emit({ type: 'sink-recovered', sink, seconds });
  }
}
