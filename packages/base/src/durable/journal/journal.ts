/**
 * Stores records by key that survive kill -9 and power cuts: running work, and actions that must still happen.
 *
 * A change is one record of a spool, so it is atomic. All records are also in memory. When the spool grows, a snapshot
 * replaces it.
 */

import { copyFile, link, mkdir, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { count } from '@skolo/base';
import { syncFolder } from '../files/atomic-file.ts';
import { StorageUnavailable } from '../files/storage-errors.ts';
import { type FoundSnapshot, type Snapshot, Snapshots, snapshotName } from '../spool/snapshots.ts';
import { Spool } from '../spool/spool.ts';

/** Atomic. A key in both is put. */
export interface JournalChange {
  put?: Readonly<Record<string, unknown>>;
  delete?: readonly string[];
}

/** One key of a change; `json` is undefined for a deletion. */
interface Operation {
  key: string;
  json: string | undefined;
}

/** A start reads the snapshot and at most this much of the spool. */
const mostSpoolBytes = 1024 * 1024;

export class Journal {
  readonly folder: string;
  /** Damage found when opening: the losses, the number of recovered records, the location of the damaged files. */
  recovered: string | undefined;
  /** Acknowledged records may be missing: it is new, damaged, or a copy, which has no mark. */
  isIncomplete = false;
  private readonly spool: Spool;
  private readonly snapshots: Snapshots;
  /** By key, as JSON. */
  private readonly records = new Map<string, string>();
  /** Sequence number of the first record of the spool that `records` lacks. */
  private next = 1;
  private shrinking: Promise<void> | undefined;
  /** After a failed snapshot: size of the spool for the next attempt. */
  private retryAtBytes = 0;

  private constructor(folder: string, spool: Spool) {
    this.folder = folder;
    this.spool = spool;
    this.snapshots = new Snapshots(spool, () => this.snapshot());
  }

  /**
   * Creates a missing folder. Recovers records of damaged files, and describes that in `recovered`.
   *
   * @throws StorageUnavailable
   */
  static async open(folder: string): Promise<Journal> {
    const spool = await Spool.open(folder, { segmentBytes: mostSpoolBytes });
    try {
      const journal = new Journal(folder, spool);
      await journal.load();
      return journal;
    } catch (error) {
      await spool.close();
      if (error instanceof StorageUnavailable) throw error;
      throw new StorageUnavailable(folder, 'not opened', error);
    }
  }

  get(key: string): unknown {
    const json = this.records.get(key);
    return json === undefined ? undefined : JSON.parse(json);
  }

  /** Records with this prefix of the key, in the order in which they were added, also after a restart. */
  *entries(prefix = ''): Generator<[string, unknown]> {
    const keys = [...this.records.keys()].filter((key) => key.startsWith(prefix));
    for (const key of keys) yield [key, this.get(key)];
  }

  /**
   * Resolves when the change is on the disk. Changes take effect in the order of the calls; those that wait together share
   * a sync.
   *
   * @throws StorageUnavailable The change is not written. Others that waited may be.
   * @throws TypeError A value is not JSON, or the change exceeds 16 MiB.
   */
  async write(change: JournalChange): Promise<void> {
    const operations = operationsOf(change);
    const seq = await this.spool.append([encode(operations)]);
    this.apply(operations);
    this.next = seq + 1;
    if (this.spool.bytes > this.retryAtBytes) void this.shrink();
  }

  /**
   * Checks whether the directory was deleted while in use, and writes it again, without loss.
   *
   * @returns whether it was deleted
   * @throws FileNotWritten, StorageUnavailable
   */
  async restore(): Promise<boolean> {
    return await this.snapshots.restore();
  }

  /** Finishes pending writes. */
  async close(): Promise<void> {
    await this.shrinking;
    await this.spool.close();
  }

  private snapshot(): Snapshot {
    const { records, next } = this;
    const texts = [...records].map(([key, json]) => encode([{ key, json }]));
    return { next, count: texts.length, texts };
  }

  private apply(operations: readonly Operation[]) {
    for (const { key, json } of operations) {
      if (json === undefined) this.records.delete(key);
      else this.records.set(key, json);
    }
  }

  private shrink(): Promise<void> {
    this.shrinking ??= this.shrinkNow().finally(() => {
      this.shrinking = undefined;
    });
    return this.shrinking;
  }

  private async shrinkNow() {
    try {
      await this.snapshots.shrink(this.next, mostSpoolBytes);
      this.retryAtBytes = 0;
    } catch {
      // The spool still has everything. The next write reports the disk.
      this.retryAtBytes = this.spool.bytes + mostSpoolBytes;
    }
  }

  private async load() {
    const { spool, folder } = this;
    const found = await this.snapshots.read();
    const snapshot = found === 'lost' ? undefined : found;
    let foreign = 0;
    const replay = (text: string) => {
      const operations = decode(text);
      if (operations) this.apply(operations);
      else foreign += 1;
    };
    for (const text of snapshot?.texts ?? []) replay(text);
    const { next: known } = this.snapshots;
    let count = 0;
    for await (const { seq, text } of spool.read(snapshot?.from ?? 1)) {
      replay(text);
      if (seq >= known) count += 1;
    }
    this.next = spool.next;
    const problems = problemsOf(spool, found, {
      missing: Math.max(0, spool.next - known - count),
      foreign,
    });
    this.isIncomplete = problems.length > 0 || !spool.hadMark;
    if (problems.length > 0) {
      const saved = this.records.size === 1 ? '1 record was' : `${this.records.size} records were`;
      const kept = await copyAside(folder).catch(() => folder);
      this.recovered = `${folder} was damaged (${problems.join(', ')}): ${saved} recovered; the damaged files are in ${kept}`;
    } else if (spool.tornBytes > 0) {
      this.recovered = `${folder}: the last change was incomplete and was discarded; a power cut, a killed process or a truncated file may have caused this`;
    }
    // The spool ends before the snapshot in a copy that was made while it was in use.
    if (known > spool.next) await this.snapshots.write();
    if (problems.length > 0) {
      this.snapshots.isDamaged = true;
      await this.putInOrder();
    }
  }

  /** Writes an undamaged snapshot; on a full disk later. */
  private async putInOrder() {
    const isWritten = await this.write({}).then(
      () => true,
      () => false,
    );
    if (isWritten) await this.shrink();
  }
}

function problemsOf(
  { damage, bytes }: Spool,
  found: FoundSnapshot | 'lost' | undefined,
  { missing, foreign }: { missing: number; foreign: number },
): string[] {
  const problems: string[] = [];
  if (found === 'lost') problems.push('the snapshot is missing');
  else if (found?.isWhole === false) {
    problems.push(
      found.lost
        ? `${count(found.lost, 'damaged record')} in the snapshot`
        : 'the snapshot is damaged',
    );
  } else if (found !== undefined && found.next > 1 && bytes === 0) {
    problems.push('the changes since the snapshot are missing');
  }
  if (damage !== undefined && damage.lines > 0) problems.push(count(damage.lines, 'damaged line'));
  if (missing > 0) {
    const verb = missing === 1 ? 'is' : 'are';
    problems.push(`${count(missing, 'acknowledged write')} ${verb} missing`);
  }
  if (foreign > 0) problems.push(`${count(foreign, 'record')} of an unknown kind`);
  return problems;
}

/** Copies damaged files to another directory. @returns its path */
async function copyAside(folder: string): Promise<string> {
  const kept = `${folder}.damaged-${new Date().toISOString().replaceAll(':', '-')}`;
  await mkdir(kept, { mode: 0o700 });
  for (const name of await readdir(folder)) {
    if (name !== snapshotName && !name.includes('.spool')) continue;
    // A hard link needs no space; not every file system has them.
    const [from, to] = [join(folder, name), join(kept, name)];
    await link(from, to).catch(() => copyFile(from, to));
  }
  await syncFolder(kept);
  await syncFolder(dirname(folder));
  return kept;
}

/** `[["key", value], ["deleted key"]]` */
function encode(operations: readonly Operation[]): string {
  const parts = operations.map(({ key, json }) => {
    return json === undefined ? JSON.stringify([key]) : `[${JSON.stringify(key)},${json}]`;
  });
  return `[${parts.join(',')}]`;
}

/** Undefined for other text. */
function decode(text: string): Operation[] | undefined {
  try {
    const found: unknown = JSON.parse(text);
    if (!Array.isArray(found) || !found.every(Array.isArray)) return undefined;
    return found.map(([key, ...values]) => ({
      key: String(key),
      json: values.length > 0 ? JSON.stringify(values[0]) : undefined,
    }));
  } catch {
    return undefined;
  }
}

function operationsOf({ put = {}, delete: deleted = [] }: JournalChange): Operation[] {
  return [
    ...deleted.map((key): Operation => ({ key, json: undefined })),
    ...Object.entries(put).map(([key, value]): Operation => {
      const json: string | undefined = JSON.stringify(value);
      if (json === undefined) throw new TypeError(`${key}: the value cannot be written as JSON`);
      return { key, json };
    }),
  ];
}
