/**
 * Limits how many history entries each machine may add per hour, because a task has root on its machine, and may report anything. Each
 * kind of entry has its own limit, so that tasks do not displace conditions. Entries above the limit are counted, and the latest
 * condition is written anyway, once a minute.
 */
import type { StoredKind } from './database.ts';
import type { Entry } from './entry.ts';

/** A bot with a task each minute, and a reboot of the phone after each, has 60 tasks and 120 conditions. Others are unlimited. */
const mostPerHour: Partial<Record<StoredKind, number>> = {
  condition: 200,
  task: 200,
  repair: 60,
  'would-have': 60,
  boot: 20,
  rollout: 20,
  hold: 60,
  alert: 200,
};
/** Average bytes of an entry. */
const bytesPerEntry = 250;
const hourSeconds = 3600;
const pendingSeconds = 60;
/** Their end is a change of the entry. */
const ends: ReadonlySet<StoredKind> = new Set(['task', 'hold', 'alert']);

interface Share {
  machine: string;
  kind: StoredKind;
  /** Seconds since boot. */
  begun: number;
  writtenAt: number;
  used: number;
  bytes: number;
  /** What has not ended, and whether it was written. */
  open: Map<string, boolean>;
  /** Above the limit, and not written: how many, and since when in milliseconds since 1970. */
  omitted: number;
  from: number;
  latest?: Entry | undefined;
}

export class Shares {
  private readonly shares = new Map<string, Share>();

  /** Whether to write it. @param uptime seconds since boot */
  admit(entry: Entry, uptime: number): boolean {
    const { machine, kind, at, device, endedAt } = entry;
    const most = mostPerHour[kind];
    if (most === undefined) return true;
    const id = `${machine} ${kind}`;
    const share = this.shares.get(id) ?? newShare(machine, kind, uptime);
    this.shares.set(id, share);
    const own = `${entry.key} ${device}`;
    const isWritten = share.open.get(own);
    if (endedAt !== undefined && isWritten !== undefined) {
      share.open.delete(own);
      return isWritten;
    }
    const fits = share.used < most && share.bytes < most * bytesPerEntry;
    // One task at a time.
    if (kind === 'task') share.open.clear();
    if (ends.has(kind) && endedAt === undefined) share.open.set(own, fits);
    share.used += 1;
    if (fits) {
      share.bytes += Buffer.byteLength(JSON.stringify(entry));
      return true;
    }
    if (share.omitted === 0) share.from = at;
    share.omitted += 1;
    if (kind === 'condition') share.latest = entry;
    return false;
  }

  /** What to write of the entries above the limit: for one machine now, otherwise once a minute and at the end of the hour. */
  pending({ now, uptime }: { now: number; uptime: number }, wanted?: string): Entry[] {
    return [...this.shares].flatMap(([id, share]) => {
      const isOver = uptime - share.begun >= hourSeconds;
      const isDue = isOver || uptime - share.writtenAt >= pendingSeconds;
      if (wanted === undefined ? !isDue : wanted !== share.machine) return [];
      const entries = entriesOf(share, now);
      share.writtenAt = uptime;
      if (isOver) {
        const { machine, kind, open } = share;
        if (open.size === 0) this.shares.delete(id);
        else this.shares.set(id, { ...newShare(machine, kind, uptime), open });
      }
      return entries;
    });
  }

  /** Number of omitted entries of this hour, by machine. */
  omitted(): Map<string, number> {
    const counts = new Map<string, number>();
    for (const { machine, omitted } of this.shares.values()) {
      if (omitted > 0) counts.set(machine, (counts.get(machine) ?? 0) + omitted);
    }
    return counts;
  }

  forget(machine: string): void {
    for (const [id, share] of this.shares) if (share.machine === machine) this.shares.delete(id);
  }
}

function newShare(machine: string, kind: StoredKind, uptime: number): Share {
  const empty = { used: 0, bytes: 0, omitted: 0, from: 0, open: new Map<string, boolean>() };
  return { machine, kind, begun: uptime, writtenAt: uptime, ...empty };
}

function entriesOf(share: Share, now: number): Entry[] {
  const { machine, kind, from, latest } = share;
  if (latest !== undefined) share.omitted -= 1;
  share.latest = undefined;
  const { omitted } = share;
  const count: Entry = { machine, kind: 'omitted', key: kind, at: from, endedAt: now };
  return [
    ...(omitted > 0 ? [{ ...count, outcome: String(omitted) }] : []),
    ...(latest === undefined ? [] : [latest]),
  ];
}
