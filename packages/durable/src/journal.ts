/**
 * Records by key that survive kill -9 and power cuts: what is under way, and what is owed.
 *
 * On LevelDB, whose log makes one write of several keys atomic. What LevelDB leaves open is settled here: a write that
 * failed is not there afterwards, writes work again once the disk is well, and damaged files are neither passed over
 * in silence nor deleted.
 */
import { randomUUID } from 'node:crypto';
import { syncFolder } from './atomic-file.ts';
import { JournalUnavailable } from './journal-unavailable.ts';
import type { Level } from './level.ts';
import { findRoom, logs, removeFromLog } from './level-files.ts';
import { Mark, markOf, readMark } from './mark.ts';
import { decodeRecord, encodeRecord, lastBatchKey } from './record.ts';
import { openSalvaged } from './salvage.ts';

/** All of it, or nothing of it. A key that is in both is put. */
export interface JournalChange {
  put?: Readonly<Record<string, unknown>>;
  delete?: readonly string[];
}

type Operation = { type: 'put'; key: string; value: Buffer } | { type: 'del'; key: string };

interface Waiting {
  operations: Operation[];
  resolve(): void;
  reject(error: JournalUnavailable): void;
}

/** Keys with a NUL in front are our own. */
const firstOfOthers = '\u0001';

export class Journal {
  readonly folder: string;
  /** For people: what was not whole when it was opened, what was saved, where the damaged files are. */
  recovered: string | undefined;
  private level: Level | undefined;
  private waiting: Waiting[] = [];
  private draining: Promise<void> | undefined;
  private reviving: Promise<Level> | undefined;
  /** The batch that failed: whether it is in the log is not known, and LevelDB would take no other. */
  private failedBatch: string | undefined;
  private readonly unreadable = new Set<string>();
  /** Number of the newest batch. They go on growing after a restart. */
  private batch = 0;
  private readonly mark: Mark;
  private newestLog = '';
  private isClosed = false;

  private constructor(folder: string) {
    this.folder = folder;
    this.mark = new Mark(markOf(folder));
  }

  /**
   * Creates the folder where there is none. Of damaged files, what can be saved is, and `recovered` says so.
   *
   * @throws JournalUnavailable
   */
  static async open(folder: string): Promise<Journal> {
    const journal = new Journal(folder);
    try {
      await journal.openAny();
    } catch (error) {
      throw new JournalUnavailable(folder, 'not opened', error);
    }
    return journal;
  }

  /** Records that were found to be unreadable since the journal was opened. Their bytes are kept. */
  get damaged(): number {
    return this.unreadable.size;
  }

  /**
   * Fulfilled once the change is on the disk. Changes take effect in the order in which they were asked for; those that wait
   * together share one sync.
   *
   * @throws JournalUnavailable Nothing of the change is there. Others that waited may be written.
   * @throws TypeError A value is not JSON, or a key begins with a NUL.
   */
  async write(change: JournalChange): Promise<void> {
    const operations = operationsOf(change);
    if (this.isClosed) throw this.closed('not written');
    await new Promise<void>((resolve, reject) => {
      this.waiting.push({ operations, resolve, reject });
      this.draining ??= this.drain();
    });
  }

  /** @throws JournalUnavailable */
  async get(key: string): Promise<unknown | undefined> {
    try {
      const level = await this.ready();
      const bytes = await level.get(key);
      if (bytes === undefined) return undefined;
      const record = decodeRecord(key, bytes);
      if (!record) this.unreadable.add(key);
      return record?.value;
    } catch (error) {
      throw this.unavailable('not read', error);
    }
  }

  /**
   * All records whose key begins with the prefix, by key, as they were when the iteration began.
   *
   * @throws JournalUnavailable
   */
  async *entries(prefix = ''): AsyncGenerator<[string, unknown]> {
    try {
      const level = await this.ready();
      const from = prefix === '' ? firstOfOthers : prefix;
      for await (const [key, bytes] of level.iterator({ gte: from })) {
        if (!key.startsWith(prefix)) return;
        const record = decodeRecord(key, bytes);
        if (record) yield [key, record.value];
        else this.unreadable.add(key);
      }
    } catch (error) {
      throw this.unavailable('not read', error);
    }
  }

  /** Finishes the writes that wait. */
  async close(): Promise<void> {
    this.isClosed = true;
    await this.draining;
    await this.reviving?.catch(() => undefined);
    await this.level?.close();
    this.level = undefined;
    await this.mark.close();
  }

  private async drain() {
    // A turn of the event loop, so that changes asked for in one go share the first sync, too.
    await undefined;
    while (this.waiting.length > 0) await this.commit(this.waiting.splice(0));
    this.draining = undefined;
  }

  private async commit(group: Waiting[]) {
    try {
      await this.apply(group);
      for (const { resolve } of group) resolve();
    } catch {
      await this.commitEach(group);
    }
  }

  /** After a failure: what is small may have room where what it shared a sync with had none. */
  private async commitEach(group: Waiting[]) {
    for (const [position, change] of group.entries()) {
      try {
        await this.revive();
      } catch (error) {
        for (const { reject } of group.slice(position))
          reject(this.unavailable('not written', error));
        return;
      }
      await this.apply([change]).then(change.resolve, (error) =>
        change.reject(this.unavailable('not written', error)),
      );
    }
  }

  private async apply(group: Waiting[]) {
    const level = await this.ready();
    if (this.failedBatch !== undefined) throw new Error('the last write failed');
    this.batch += 1;
    const batch = `${randomUUID()} ${this.batch}`;
    const operations = group.flatMap(({ operations }) => operations);
    try {
      await level.batch(
        [...operations, { type: 'put', key: lastBatchKey, value: Buffer.from(batch) }],
        {
          sync: true,
        },
      );
    } catch (error) {
      this.failedBatch = batch;
      // Now, so that it does not come back if this process dies next; again before the database is opened.
      await removeFromLog(this.folder, batch).catch(() => undefined);
      throw error;
    }
    try {
      await this.syncNewLog();
    } catch (error) {
      // LevelDB has it in memory already.
      this.failedBatch = batch;
      this.level = undefined;
      await level.close();
      throw error;
    }
    this.mark.set(this.batch);
  }

  /** LevelDB does not sync the folder when it begins another log. */
  private async syncNewLog() {
    const newest = (await logs(this.folder)).at(-1) ?? '';
    if (newest !== this.newestLog) await syncFolder(this.folder);
    this.newestLog = newest;
  }

  private async ready(): Promise<Level> {
    if (this.isClosed && !this.level) throw this.closed('not read');
    return this.reviving !== undefined || !this.level ? this.revive() : this.level;
  }

  private revive(): Promise<Level> {
    this.reviving ??= this.reopen().finally(() => {
      this.reviving = undefined;
    });
    return this.reviving;
  }

  /** LevelDB never recovers from a failed write by itself, and cannot open a database on a full disk. */
  private async reopen(): Promise<Level> {
    if (this.level && this.failedBatch === undefined) return this.level;
    await findRoom(this.folder);
    await this.level?.close();
    this.level = undefined;
    if (this.failedBatch !== undefined) await removeFromLog(this.folder, this.failedBatch);
    const level = await this.openAny();
    this.failedBatch = undefined;
    return level;
  }

  private async openAny(): Promise<Level> {
    const [acknowledged = 0] = (await readMark(markOf(this.folder))) ?? [];
    const { level, recovered, batch } = await openSalvaged(this.folder, acknowledged);
    this.level = level;
    this.batch = Math.max(this.batch, batch);
    this.recovered = recovered ?? this.recovered;
    return level;
  }

  private closed(what: string) {
    return new JournalUnavailable(this.folder, what, undefined, 'CLOSED');
  }

  private unavailable(what: string, error: unknown) {
    return error instanceof JournalUnavailable
      ? error
      : new JournalUnavailable(this.folder, what, error);
  }
}

function operationsOf({ put = {}, delete: deleted = [] }: JournalChange): Operation[] {
  const keys = [...deleted, ...Object.keys(put)];
  const reserved = keys.find((key) => key === '' || key.startsWith('\0'));
  if (reserved !== undefined) throw new TypeError(`${JSON.stringify(reserved)} is no key`);
  return [
    ...deleted.map((key): Operation => ({ type: 'del', key })),
    ...Object.entries(put).map(
      ([key, value]): Operation => ({ type: 'put', key, value: encodeRecord(key, value) }),
    ),
  ];
}
