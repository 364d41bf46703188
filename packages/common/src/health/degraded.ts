/** The list of parts that are not working although the service is running (degraded), for `/readyz`. */
import type { DegradedCode } from '@skolo/api/probes';
import { isDiskFull } from '@skolo/base';
import { hangingDisk } from '@skolo/base/durable/disk';
import type { Clock } from '../process/clock.ts';
import type { EventLog } from '../process/log.ts';

/** A part that is not working although the service is running. */
export interface Degraded {
  /** A metric's label, so short and with few values: `state directory`, `identity bots`. */
  what: string;
  /** Reason and hint, without secrets. */
  why: string;
  since: Date;
  code?: DegradedCode | undefined;
}

/** The code of what an error makes impossible. */
export function degradedCode(error: unknown): DegradedCode | undefined {
  return isDiskFull(error) ? 'disk-full' : undefined;
}

/** Degraded parts by name. Logs each begin, change and end once. */
export class DegradedList {
  private readonly entries = new Map<string, Degraded>();
  private readonly clock: Pick<Clock, 'now'>;
  private readonly log: EventLog;

  constructor(deps: { clock: Pick<Clock, 'now'>; log: EventLog }) {
    this.clock = deps.clock;
    this.log = deps.log;
  }

  /** Adds an entry, or changes its reason. */
  raise(what: string, why: string, code?: DegradedCode): void {
    const known = this.entries.get(what);
    if (known?.why === why && known.code === code) return;
    const since = known?.since ?? new Date(this.clock.now());
    this.entries.set(what, { what, why, since, ...(code && { code }) });
    this.log.warn({ what, why }, 'degraded');
  }

  /** Removes an entry. */
  clear(what: string): void {
    if (this.entries.delete(what)) this.log.info({ what }, 'recovered');
  }

  /** Raises `why`, or clears the entry if it is absent. */
  set(what: string, why: string | undefined, code?: DegradedCode): void {
    if (why === undefined) this.clear(what);
    else this.raise(what, why, code);
  }

  /** Also the disk if it hangs, which nothing else would report. */
  list(): Degraded[] {
    const disk = hangingDisk();
    return [...this.entries.values(), ...(disk === undefined ? [] : [{ what: 'disk', ...disk }])];
  }
}
