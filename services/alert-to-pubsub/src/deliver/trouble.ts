/**
 * What is wrong with a sink, and who has to wait because of it.
 *
 * A sink that is away is asked by one lane at a time, with longer and longer pauses between. A lane that alone does not
 * get through while others do has pauses of its own, and keeps nobody else waiting.
 */
import type { SinkError } from '@skolo/alerts';
import type { Clock, Logger } from '@skolo/common';
import type { Lane } from './lanes.ts';

export interface TroubleDeps {
  sink: string;
  clock: Clock;
  log: Logger;
}

/** Who has to wait: all, this lane, or nobody, since the sink was found to be away meanwhile. */
export type Verdict = 'all' | 'lane' | 'nobody';

/**
 * A reason is logged once while the sink does not work, and not again within this time, in seconds: it may come and go
 * all day.
 */
const quiet = 60;

export class Trouble {
  /** Of the sink, in a row; those that were under way together are one. */
  failures = 0;
  private readonly deps: TroubleDeps;
  /** Counts what happens, so that it is known what came first. */
  private moment = 0;
  private workedAt = 0;
  private foundAwayAt = 0;
  /** Lanes that have failed and not worked since: when. */
  private readonly failing = new Map<Lane, number>();
  private now: { since: number; reason: string; detail: string } | undefined;
  /** When each reason was last logged. */
  private readonly said = new Map<string, number>();
  private isSaid = false;

  constructor(deps: TroubleDeps) {
    this.deps = deps;
  }

  /** Something is sent. Gives the moment, to tell with how it went. */
  begin(): number {
    this.moment += 1;
    return this.moment;
  }

  /** What was sent then has arrived, or at least the sink has judged it. */
  worked(lane: Lane, begun: number): void {
    this.moment += 1;
    this.workedAt = this.moment;
    lane.failures = 0;
    this.failing.delete(lane);
    if (begun > this.foundAwayAt) this.failures = 0;
    this.lookIfOver();
  }

  failed(lane: Lane, begun: number, error: SinkError): Verdict {
    this.note(error.reason, error.code, error.message);
    const before = this.failing.get(lane);
    this.moment += 1;
    this.failing.set(lane, this.moment);
    lane.failures += 1;
    if (before !== undefined && this.workedAt > before) return 'lane';
    if (begun < this.foundAwayAt) return 'nobody';
    this.failures += 1;
    this.foundAwayAt = this.moment;
    return 'all';
  }

  /** It has nothing to send any more. */
  forget(isGone: (lane: Lane) => boolean): void {
    for (const lane of [...this.failing.keys()]) if (isGone(lane)) this.failing.delete(lane);
    this.lookIfOver();
  }

  /** Times in milliseconds since 1970, by the wall clock of now. */
  status(): { failingSince?: number; reason?: string; detail?: string } {
    if (this.now === undefined) return {};
    const { clock } = this.deps;
    const { since, reason, detail } = this.now;
    return { failingSince: clock.now() - (clock.uptime() - since) * 1000, reason, detail };
  }

  private note(reason: string, code: string, detail: string) {
    const { clock, log, sink } = this.deps;
    const at = clock.uptime();
    const since = this.now?.since ?? at;
    this.now = { since, reason, detail };
    const saidAt = this.said.get(reason) ?? Number.NEGATIVE_INFINITY;
    if (saidAt >= since || at - saidAt < quiet) return;
    this.said.set(reason, at);
    this.isSaid = true;
    log.warn({ sink, reason, code, why: detail }, 'sink does not take messages');
  }

  private lookIfOver() {
    if (this.now === undefined || this.failures > 0 || this.failing.size > 0) return;
    const { clock, log, sink } = this.deps;
    const seconds = Math.round(clock.uptime() - this.now.since);
    this.now = undefined;
    if (this.isSaid) log.info({ sink, seconds }, 'sink takes messages again');
    this.isSaid = false;
  }
}
