/** Reports what the spool has lost: in the log, in metrics, as a notice, and for a day in status and `/readyz`. */
import type { NoticeMessage } from '@skolo/alerts';
import type { Clock, Degraded, Logger } from '@skolo/common';
import type { Looked, Opened } from './store.ts';

export interface DamageDeps {
  location(): string;
  /** Alerts that are known. */
  known(): number;
  notify(notice: Pick<NoticeMessage, 'notice' | 'text' | 'facts'>): void;
  count(records: number): void;
  clock: Clock;
  log: Logger;
}

/** As long as the alert AlertsSpoolDamaged. In seconds. */
const reportedFor = 86_400;
/** Operators find these files by their suffix. */
const setAside = 'the damaged bytes are in files *.damaged in the spool folder';

export class Damage {
  private readonly deps: DamageDeps;
  private last: (Degraded & { uptime: number }) | undefined;

  constructor(deps: DamageDeps) {
    this.deps = deps;
  }

  /** What was found of the last day; undefined: nothing. */
  get current(): Degraded | undefined {
    const { last, deps } = this;
    if (last === undefined || deps.clock.uptime() - last.uptime > reportedFor) return undefined;
    const { what, why, since } = last;
    return { what, why, since };
  }

  /** The spool was opened. */
  opened({ damage, tornBytes, unreadable, cut, isSnapshotLost }: Opened): void {
    const { location, known, log } = this.deps;
    if (tornBytes > 0) {
      log.warn(
        { bytes: tornBytes },
        'the spool ended within a record that was not acknowledged: it is kept in a *.torn file',
      );
    }
    const lost = (damage?.missing ?? 0) + unreadable + cut;
    const lines = damage?.lines ?? 0;
    if (damage !== undefined || lost > 0) {
      log.error({ ...damage, unreadable, cut }, 'spool was damaged');
      this.report(Math.max(lost, lines), `the spool of ${location()} was damaged`, { lost, lines });
    }
    if (isSnapshotLost) {
      log.error({ known: known() }, 'list of known alerts was lost');
      const text = `the list of known alerts of ${location()} was lost, the spool still tells of ${known()}; others are known again when they are next heard of`;
      this.deps.count(1);
      this.deps.notify({ notice: 'damaged', text, facts: { lost: 0, lines: 0 } });
      this.raise(text);
    }
  }

  /** The spool was looked at while in use. */
  looked({ lost, isRestored }: Looked): void {
    const { location, log } = this.deps;
    if (isRestored) log.error('spool was deleted while in use, and is written anew');
    if (lost === 0) return;
    log.error({ lost }, 'spool was damaged while in use');
    this.report(lost, `the spool of ${location()} was damaged while in use`, { lost, lines: 0 });
  }

  private report(count: number, what: string, facts: { lost: number; lines: number }) {
    const text = `${what}: ${facts.lost} messages are lost; alerts that fire are told again`;
    this.deps.count(count);
    this.deps.notify({ notice: 'damaged', text, facts });
    this.raise(`${text}; ${setAside}`);
  }

  private raise(why: string) {
    const { clock } = this.deps;
    const since = this.current?.since ?? new Date(clock.now());
    this.last = { what: 'spool damage', why, since, uptime: clock.uptime() };
  }
}
