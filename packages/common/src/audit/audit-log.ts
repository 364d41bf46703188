/**
 * Audit log of changes: `<state directory>/audit/2026-11.jsonl`, one JSON object per line, append-only, one segment per
 * month (UTC).
 */
import { open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { AuditEntry, AuditPage } from '@skolo/api/audit-log';
import { errorText } from '@skolo/base';
import { appendLines, GroupCommit, makeFolder, syncFolder } from '@skolo/durable';
import type { Registry } from 'prom-client';
import { anonymous, CallerLimit } from '../access/caller-limits.ts';
import type { DegradedList } from '../health/degraded.ts';
import type { Clock } from '../process/clock.ts';
import { type AuditQuery, readAudit } from './reader.ts';
import { auditRetention } from './retention.ts';

/** Without the time, which the log adds. */
export type NewAuditEntry = Omit<AuditEntry, 'time'>;

/** A line could not be stored durably, so the change must not happen. */
export class AuditUnavailable extends Error {
  constructor(file: string, cause: unknown) {
    super(`${file}: the audit log cannot be written: ${errorText(cause)}`, { cause });
    this.name = 'AuditUnavailable';
  }
}

/** Maximum length of human-readable texts that a route accepts. */
const mostText = 4000;
/** A thousand names of machines. */
const mostTarget = 64 * 1024;

interface AuditDeps {
  clock: Pick<Clock, 'now' | 'uptime'>;
  degraded: Pick<DegradedList, 'raise' | 'clear'>;
  metrics: Registry;
  /** Id of this boot; default: from the kernel. */
  bootId?: string;
}

interface Line {
  line: string;
  bytes: number;
}

export class AuditLog {
  private readonly dir: string;
  private readonly clock: Pick<Clock, 'now'>;
  private readonly changes: CallerLimit;
  private readonly wroteTo: (segment: string) => Promise<void>;
  private readonly degraded: Pick<DegradedList, 'raise' | 'clear'>;
  /** Lines that arrive during a sync share the next one. */
  private readonly lines = new GroupCommit<Line>((lines) => this.write(lines), {
    onAllDone: () => this.degraded.clear('audit log'),
  });
  private segment: string | undefined;

  /** @param dir created when the first line is written */
  constructor(dir: string, deps: AuditDeps) {
    this.dir = dir;
    this.clock = deps.clock;
    this.changes = new CallerLimit('changes', deps);
    this.wroteTo = auditRetention(dir, deps);
    this.degraded = deps.degraded;
  }

  /**
   * Adds the first line of a change, before it has any effect. A caller who writes too much is rejected here, and only here:
   * {@link append} records the outcome in any case.
   *
   * @param isAnonymous the caller did not sign in, so `who` is only an address
   * @throws HttpProblem 429
   * @throws AuditUnavailable
   */
  async begin(entry: NewAuditEntry, isAnonymous = false): Promise<void> {
    // Twice, because the line with the outcome is about as long.
    this.changes.take(isAnonymous ? anonymous : entry.who, 2 * this.lineOf(entry).length);
    await this.append(entry);
  }

  /**
   * Adds a line. Resolves when it is on the disk.
   *
   * @throws AuditUnavailable The disk is full, read-only or broken; the log is unchanged.
   */
  async append(entry: NewAuditEntry): Promise<void> {
    const line = this.lineOf(entry);
    await this.lines.run({ line, bytes: line.length });
  }

  /** The latest entries that fit, newest first. */
  read(query: AuditQuery): Promise<AuditPage> {
    return readAudit(this.dir, query);
  }

  /** Waits for pending writes. */
  async close(): Promise<void> {
    await this.lines.idle();
  }

  private lineOf(entry: NewAuditEntry): string {
    const time = new Date(this.clock.now()).toISOString();
    return `${JSON.stringify({ time, ...entry }, cut)}\n`;
  }

  /** @throws AuditUnavailable */
  private async write(lines: readonly Line[]): Promise<number[]> {
    const month = new Date(this.clock.now()).toISOString().slice(0, 7);
    const file = join(this.dir, `${month}.jsonl`);
    try {
      if (month !== this.segment) await this.startSegment(month, file);
      await appendLines(file, lines.map(({ line }) => line).join(''));
      // No reason to reject a change.
      await this.wroteTo(month).catch(() => undefined);
      return [];
    } catch (cause) {
      // The directory may have been deleted, so the segment is started again.
      this.segment = undefined;
      const error = new AuditUnavailable(file, cause);
      this.degraded.raise(
        'audit log',
        `${error.message}; changes are rejected until the audit log can be written`,
      );
      throw error;
    }
  }

  private async startSegment(month: string, file: string) {
    await makeFolder(this.dir);
    await (await open(file, 'a', 0o600)).close();
    await syncFolder(this.dir);
    await syncFolder(dirname(this.dir));
    this.segment = month;
  }
}

/** A replacer for JSON.stringify, so that callers cannot choose the length of a line. */
function cut(key: string, value: unknown): unknown {
  const most = key === 'target' ? mostTarget : mostText;
  if (typeof value !== 'string' || value.length <= most) return value;
  return `${value.slice(0, most)}… (${value.length} characters)`;
}
