import type { Clock } from './clock.ts';
import type { EventLog } from './log.ts';

/** Something that does not work although the service does. */
export interface Degraded {
  /** Short and of few kinds, since it is a metric's label: `state directory`, `identity bots`. */
  what: string;
  /** For people, with what to do. Never a secret. */
  why: string;
  since: Date;
}

/** What is degraded now, by name. Logs each beginning, change and end once. */
export class DegradedList {
  private readonly entries = new Map<string, Degraded>();
  private readonly clock: Pick<Clock, 'now'>;
  private readonly log: EventLog;

  constructor(deps: { clock: Pick<Clock, 'now'>; log: EventLog }) {
    this.clock = deps.clock;
    this.log = deps.log;
  }

  /** Names a trouble, or gives another reason for one that is there. */
  raise(what: string, why: string): void {
    const known = this.entries.get(what);
    if (known?.why === why) return;
    this.entries.set(what, { what, why, since: known?.since ?? new Date(this.clock.now()) });
    this.log.warn({ what, why }, 'degraded');
  }

  /** The trouble is over. */
  clear(what: string): void {
    if (this.entries.delete(what)) this.log.info({ what }, 'recovered');
  }

  /** Raises `why`, or clears where it is absent. */
  set(what: string, why: string | undefined): void {
    if (why === undefined) this.clear(what);
    else this.raise(what, why);
  }

  list(): Degraded[] {
    return [...this.entries.values()];
  }
}
