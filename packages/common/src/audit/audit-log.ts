/**
 * Writes the audit log of changes, and decides how long it is kept before old months are deleted: `<state
 * directory>/audit/2026-11.jsonl`, one JSON object per line, one segment per month (UTC). Reports on `/readyz` that it cannot be written.
 */
import { open, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { AuditEntry, AuditPage } from '@skolo/api/audit-log';
import { parseJson, readBootId, settlesWithin } from '@skolo/base';
import {
  appendLines,
  GroupCommit,
  makeFolder,
  readFileIfExists,
  StorageUnavailable,
  syncFolder,
  writeFileAtomic,
} from '@skolo/base/durable';
import type { Registry } from 'prom-client';
import { z } from 'zod';
import { anonymous, CallerLimit } from '../access/caller-limits.ts';
import { whoMakesRoom } from '../access/fair-share.ts';
import { type DegradedList, degradedCode } from '../health/degraded.ts';
import type { Clock } from '../process/clock.ts';
import { type AuditQuery, readAudit, segmentsOf } from './reader.ts';

/** Without the time, which the log adds. */
export type NewAuditEntry = Omit<AuditEntry, 'time'>;

/** A working disk needs less. */
const patienceMs = 1000;
const retryMs = 2000;
/** Later lines that wait for the disk. */
const mostNoted = 1000;

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

/** A line that may be written later. */
export interface Noted extends Line {
  name: string;
  isWritten: boolean;
}

export class AuditLog {
  private readonly dir: string;
  private readonly clock: Pick<Clock, 'now'>;
  private readonly changes: CallerLimit;
  private readonly wroteTo: (segment: string) => Promise<void>;
  private readonly degraded: Pick<DegradedList, 'raise' | 'clear'>;
  /** Lines that arrive during a sync share the next one. */
  private readonly lines = new GroupCommit<Line>((lines) => this.write(lines), {
    onAllDone: () => {
      this.trouble = undefined;
      this.degraded.clear('audit log');
    },
  });
  private segment: string | undefined;
  private trouble: StorageUnavailable | undefined;
  private notes: Noted[] = [];
  private retry: NodeJS.Timeout | undefined;

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
   * @throws StorageUnavailable
   */
  async appendLimited(entry: NewAuditEntry, isAnonymous = false): Promise<void> {
    // Twice, because the line with the outcome is about as long.
    this.changes.take(isAnonymous ? anonymous : entry.who, 2 * this.lineOf(entry).length);
    await this.append(entry);
  }

  /**
   * Adds a line. Resolves when it is on the disk.
   *
   * @throws StorageUnavailable The disk is full, read-only or broken; the log is unchanged.
   */
  async append(entry: NewAuditEntry): Promise<void> {
    const line = this.lineOf(entry);
    await this.lines.run({ line, bytes: line.length });
  }

  /** The latest entries that fit, newest first. */
  read(query: AuditQuery): Promise<AuditPage> {
    return readAudit(this.dir, query);
  }

  /**
   * Adds a line about a call that must succeed while the disk does not work, because it changes nothing in the rack, such as a sign-in. If
   * the line cannot be written within a second, it is written later, unless the service ends first.
   *
   * @returns `isWritten` becomes true when the line is durable
   * @throws HttpProblem 429
   */
  async note(entry: NewAuditEntry): Promise<Noted> {
    const line = this.lineOf(entry);
    this.changes.take(entry.who, line.length);
    const noted = { name: entry.who, line, bytes: line.length, isWritten: false };
    await settlesWithin(patienceMs, this.writeNote(noted));
    return noted;
  }

  /** Why lines are not written. */
  get unavailable(): StorageUnavailable {
    return this.trouble ?? this.unavailableBy(new Error('the disk does not respond'));
  }

  /** Waits for pending writes. */
  async close(): Promise<void> {
    this.retryNotes();
    await this.lines.idle();
    clearTimeout(this.retry);
  }

  private async writeNote(noted: Noted): Promise<void> {
    try {
      await this.lines.run(noted);
      noted.isWritten = true;
    } catch {
      const displaced =
        this.notes.length < mostNoted ? undefined : whoMakesRoom(this.notes, noted.name);
      this.notes = [...this.notes.filter((each) => each !== displaced), noted];
      this.retry ??= setTimeout(() => this.retryNotes(), retryMs).unref();
    }
  }

  private retryNotes(): void {
    clearTimeout(this.retry);
    this.retry = undefined;
    for (const noted of this.notes.splice(0)) void this.writeNote(noted);
  }

  private lineOf(entry: NewAuditEntry): string {
    const time = new Date(this.clock.now()).toISOString();
    return `${JSON.stringify({ time, ...entry }, cut)}\n`;
  }

  /** @throws StorageUnavailable */
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
      this.trouble = this.unavailableBy(cause);
      this.degraded.raise('audit log', this.trouble.message, degradedCode(cause));
      throw this.trouble;
    }
  }

  private unavailableBy(cause: unknown): StorageUnavailable {
    const what = 'changes are rejected, because the audit log cannot be written';
    return new StorageUnavailable(this.dir, what, cause);
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

const keptSeconds = 400 * 86_400;
/** It costs two syncs. */
const everySeconds = 3600;

const Observed = z.object({
  boot: z.string().optional(),
  /** Of the last observation, in seconds since that boot. */
  uptime: z.number(),
  /** For how long the computer has run since the first observation. */
  seconds: z.number(),
  /** `seconds` at the last line of each segment, or at the first observation of it. */
  segments: z.record(z.string(), z.number()),
});

/**
 * Deletes old segments of the audit log. The wall clock may jump in both directions, so a segment's age is the time for which
 * this computer has run since the last line: as far as the log has observed it, and by a clock that does not jump. Segments
 * therefore stay longer where the computer or the log was off, and never for less time than promised.
 *
 * The result must be called after each line.
 *
 * @throws The disk is full, read-only or broken; the next attempt is an hour later.
 */
function auditRetention(
  dir: string,
  { clock, bootId: boot = readBootId() }: { clock: Pick<Clock, 'uptime'>; bootId?: string },
): (segment: string) => Promise<void> {
  const file = join(dir, 'retention.json');
  let last: { segment: string; uptime: number } | undefined;

  return async function wroteTo(segment) {
    const uptime = clock.uptime();
    if (last?.segment === segment && uptime - last.uptime < everySeconds) return;
    last = { segment, uptime };
    const { data: before } = Observed.safeParse(parseJson((await readFileIfExists(file)) ?? ''));
    const isSameBoot = boot !== undefined && before?.boot === boot;
    const ran = isSameBoot ? Math.max(0, uptime - before.uptime) : 0;
    const seconds = (before?.seconds ?? 0) + ran;
    const segments: Record<string, number> = {};
    for (const each of await segmentsOf(dir)) {
      const at = each === segment ? seconds : (before?.segments[each] ?? seconds);
      if (seconds - at < keptSeconds) segments[each] = at;
      else await rm(join(dir, `${each}.jsonl`), { force: true });
    }
    const now = Observed.parse({ boot, uptime, seconds, segments });
    await writeFileAtomic(file, `${JSON.stringify(now)}\n`);
  };
}
