/**
 * Audit log of changes: `<state directory>/audit/2026-11.jsonl`, one JSON object per line, append-only, one segment per
 * month (UTC).
 */
import { createReadStream } from 'node:fs';
import { type FileHandle, open, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeFolder } from '@skolo/durable';
import { syncFolder } from '@skolo/durable/atomic-file';
import { errorCode, errorText } from '@skolo/errors';
import type { Role } from '@skolo/rack';
import { z } from 'zod';
import type { Clock } from './clock.ts';
import type { DegradedList } from './degraded.ts';

export const AuditEntry = z.object({
  /** RFC 3339, UTC, by the wall clock of the rack. Lines of a segment are in the order of events, even if the clock jumped. */
  time: z.iso.datetime(),
  /** The name of the token, or the e-mail address. */
  who: z.string(),
  role: z.enum(['view', 'operate', 'admin']).optional(),
  /** Address of the caller. */
  from: z.string().optional(),
  /** The kind of change, such as the name of the route. */
  what: z.string(),
  /** Machines, outlets, devices. */
  target: z.string().optional(),
  /** Other input: mode, force, duration. */
  input: z.record(z.string(), z.unknown()).optional(),
  /** Reason given by the caller. */
  why: z.string().optional(),
  /** `begun` before the change; then `done`, `accepted` (continues), `refused: …` or `failed: …`. Only `begun`: the service died. */
  outcome: z.string(),
  /** The part of the response that the API marks for the audit log: ids, rejected targets. */
  answer: z.record(z.string(), z.unknown()).optional(),
  requestId: z.string().optional(),
});
export type AuditEntry = z.output<typeof AuditEntry>;

export interface NewAuditEntry {
  who: string;
  role?: Role | undefined;
  from?: string | undefined;
  what: string;
  target?: string | undefined;
  input?: Record<string, unknown> | undefined;
  why?: string | undefined;
  outcome: string;
  answer?: Record<string, unknown> | undefined;
  requestId?: string | undefined;
}

/** A line could not be written durably, so the change must not happen. */
export class AuditUnavailable extends Error {
  readonly code = 'AUDIT_UNAVAILABLE';

  constructor(file: string, cause: unknown) {
    super(`${file}: the audit log cannot be written: ${errorText(cause)}`, { cause });
    this.name = 'AuditUnavailable';
  }
}

export interface AuditReading extends AsyncIterable<AuditEntry> {
  /** Number of invalid lines so far: truncated by a crash, or damaged. */
  readonly skipped: number;
}

const keptMs = 400 * 86_400_000;
/** Older segments were written with a wrong clock, so their age is unknown. */
const firstMonth = '2026-01';
const segmentName = /^(\d{4}-\d{2})\.jsonl$/;

interface Waiting {
  line: string;
  resolve: () => void;
  reject: (error: unknown) => void;
}

export class AuditLog {
  private readonly dir: string;
  private readonly clock: Pick<Clock, 'now'>;
  private readonly degraded: Pick<DegradedList, 'raise' | 'clear'>;
  private waiting: Waiting[] = [];
  private writer: Promise<void> | undefined;
  private segment: string | undefined;

  /** @param dir made when the first line is written */
  constructor(
    dir: string,
    deps: { clock: Pick<Clock, 'now'>; degraded: Pick<DegradedList, 'raise' | 'clear'> },
  ) {
    this.dir = dir;
    this.clock = deps.clock;
    this.degraded = deps.degraded;
  }

  /**
   * Adds a line. Resolves when it is on the disk.
   *
   * @throws AuditUnavailable The disk is full, read-only or broken; the log is unchanged.
   */
  async append(entry: NewAuditEntry): Promise<void> {
    const time = new Date(this.clock.now()).toISOString();
    const line = `${JSON.stringify({ time, ...entry })}\n`;
    const written = new Promise<void>((resolve, reject) => {
      this.waiting.push({ line, resolve, reject });
    });
    this.writer ??= this.writeWaiting();
    await written;
  }

  /** The entries from `since` on, oldest segment first. */
  read(options: { since?: Date } = {}): AuditReading {
    const { dir } = this;
    const from = options.since?.toISOString() ?? '';
    let skipped = 0;

    async function* entries(): AsyncGenerator<AuditEntry> {
      for (const segment of await segmentsOf(dir)) {
        if (segment < from.slice(0, 7)) continue;
        for await (const line of linesOf(join(dir, `${segment}.jsonl`))) {
          if (line === '') continue;
          const entry = parseLine(line);
          if (entry === undefined) skipped += 1;
          else if (entry.time >= from) yield entry;
        }
      }
    }

    return {
      [Symbol.asyncIterator]: entries,
      get skipped() {
        return skipped;
      },
    };
  }

  /** Waits for pending writes. */
  async close(): Promise<void> {
    await this.writer;
  }

  /** Lines that arrive during a sync share the next one. */
  private async writeWaiting() {
    while (this.waiting.length > 0) {
      const batch = this.waiting;
      this.waiting = [];
      const month = new Date(this.clock.now()).toISOString().slice(0, 7);
      const file = join(this.dir, `${month}.jsonl`);
      try {
        if (month !== this.segment) await this.startSegment(month, file);
        await appendSynced(file, batch.map(({ line }) => line).join(''));
        for (const { resolve } of batch) resolve();
        this.degraded.clear('audit log');
      } catch (cause) {
        // The folder may be deleted: start the segment again.
        this.segment = undefined;
        const error = new AuditUnavailable(file, cause);
        for (const { reject } of batch) reject(error);
        this.degraded.raise('audit log', `${error.message}; changes are rejected until then`);
      }
    }
    // In the same turn as the check above, so that no line waits without a writer.
    this.writer = undefined;
  }

  private async startSegment(month: string, file: string) {
    await makeFolder(this.dir);
    await (await open(file, 'a', 0o600)).close();
    await syncFolder(this.dir);
    await syncFolder(dirname(this.dir));
    // Retried with the next segment; no reason to reject a change.
    await this.removeOld(month).catch(() => undefined);
    this.segment = month;
  }

  /** A clock that jumped ahead makes every segment old. So removes none unless another month is recent. */
  private async removeOld(month: string) {
    const oldest = new Date(this.clock.now() - keptMs).toISOString().slice(0, 7);
    const segments = await segmentsOf(this.dir);
    if (!segments.some((segment) => segment >= oldest && segment !== month)) return;
    for (const segment of segments) {
      if (segment < oldest && segment >= firstMonth) {
        await rm(join(this.dir, `${segment}.jsonl`), { force: true });
      }
    }
  }
}

async function appendSynced(file: string, text: string) {
  const handle = await open(file, 'a+', 0o600);
  try {
    const { size } = await handle.stat();
    const cut = size > 0 && !(await endsWithNewline(handle, size));
    try {
      await handle.appendFile(cut ? `\n${text}` : text);
      await handle.datasync();
    } catch (error) {
      // A full disk may have a part of the line; a rejected change must not be in the log.
      await handle.truncate(size).catch(() => undefined);
      throw error;
    }
  } finally {
    await handle.close();
  }
}

async function endsWithNewline(handle: FileHandle, size: number): Promise<boolean> {
  const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer.toString() === '\n';
}

async function segmentsOf(dir: string): Promise<string[]> {
  const names = await readdir(dir).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  });
  return names.flatMap((name) => segmentName.exec(name)?.[1] ?? []).sort();
}

/** Not node:readline, which ignores errors of the stream. */
async function* linesOf(file: string): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of createReadStream(file, 'utf8')) {
    const lines = `${rest}${chunk}`.split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
  yield rest;
}

function parseLine(line: string): AuditEntry | undefined {
  try {
    return AuditEntry.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}
