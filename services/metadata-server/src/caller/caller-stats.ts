/**
 * The callers of the metadata server, and when each made its last request, to find out why a bot reports a missing token. Kept across
 * restarts, written rarely.
 */
import { readFileIfExists, writeFileAtomic } from '@skolo/base/durable';
import { z } from 'zod';
import type { Caller } from './caller-lookup.ts';

const CallerRecord = z.object({
  name: z.string(),
  /** A later version may have written another kind; the next request sets it again. */
  kind: z.enum(['machine', 'cidr', 'jumphost', 'default', 'unknown']).catch('unknown'),
  address: z.string(),
  identity: z.string().optional(),
  /** Wall clock, milliseconds. */
  lastAsked: z.number(),
  lastTokenAsked: z.number().optional(),
  requests: z.number(),
});
export type CallerRecord = z.infer<typeof CallerRecord>;

const Contents = z.object({ clients: z.array(CallerRecord) });

/** Phones keep coming with new addresses: beyond this number, the one that has been silent for longest is forgotten. */
const most = 5000;

export class CallerStats {
  private readonly records = new Map<string, CallerRecord>();
  private readonly file: string;
  private changed = false;

  constructor(file: string) {
    this.file = file;
  }

  /** Throws if the file exists but is unusable; it is then rewritten. */
  async load(): Promise<void> {
    const content = await readFileIfExists(this.file);
    if (content === undefined) return;
    for (const record of Contents.parse(JSON.parse(content)).clients) {
      if (!this.records.has(record.address)) this.records.set(record.address, record);
    }
  }

  /** A caller's record, whose counts `asked` increments. */
  of(caller: Caller): CallerRecord {
    const { name, kind, address } = caller;
    let record = this.records.get(address);
    if (!record) {
      this.makeRoom();
      record = { name, kind, address, lastAsked: 0, requests: 0 };
      this.records.set(address, record);
    }
    Object.assign(record, { name, kind, identity: caller.identity?.name });
    return record;
  }

  asked(record: CallerRecord, now: number, forToken: boolean): void {
    record.requests += 1;
    record.lastAsked = now;
    if (forToken) record.lastTokenAsked = now;
    this.changed = true;
  }

  /** Newest first; within the same millisecond, the one that was first seen later. */
  list(): CallerRecord[] {
    return [...this.records.values()]
      .filter(({ requests }) => requests > 0)
      .reverse()
      .sort((a, b) => b.lastAsked - a.lastAsked);
  }

  /** Writes changes since the last call, if any. */
  async save(): Promise<void> {
    if (!this.changed) return;
    this.changed = false;
    try {
      // In the order in which `load` finds them: `list` takes the last of those with the same time first.
      const clients = this.list().reverse();
      await writeFileAtomic(this.file, JSON.stringify({ clients }), { mode: 0o600 });
    } catch (error) {
      this.changed = true;
      throw error;
    }
  }

  private makeRoom(): void {
    if (this.records.size < most) return;
    let oldest: CallerRecord | undefined;
    for (const record of this.records.values()) {
      if (!oldest || record.lastAsked < oldest.lastAsked) oldest = record;
    }
    if (oldest) this.records.delete(oldest.address);
  }
}
