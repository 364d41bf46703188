/**
 * Tables of records, in memory and in the journal. `write` changes the journal first, then memory. `writeLater` changes memory
 * immediately, for callers that cannot wait for a failing disk.
 */
import { pause } from '@skolo/base';
import { StorageUnavailable } from '../files/storage-errors.ts';
import type { Journal, JournalChange } from './journal.ts';

/** Parses a record: a zod schema. */
interface RecordSchema<T> {
  safeParse(value: unknown): { success: true; data: T } | { success: false };
}

/** A record to put or remove. */
export interface Change {
  key: string;
  /** Undefined for a removal. */
  value: unknown;
  apply(): void;
}

/** Records of one kind by key, created by {@link Tables.table}. Apply changes with {@link Tables}. */
export class Table<T> {
  readonly all: ReadonlyMap<string, T>;
  private readonly records = new Map<string, T>();
  private readonly prefix: string;
  readonly schema: RecordSchema<T>;
  private readonly keyOf: (record: T) => string;

  constructor(prefix: string, schema: RecordSchema<T>, keyOf: (record: T) => string) {
    this.all = this.records;
    this.prefix = `${prefix}!`;
    this.schema = schema;
    this.keyOf = keyOf;
  }

  get(key: string): T | undefined {
    return this.records.get(key);
  }

  put(record: T): Change {
    const key = this.keyOf(record);
    const apply = () => void this.records.set(key, record);
    return { key: this.prefix + key, value: record, apply };
  }

  remove(key: string): Change {
    const apply = () => void this.records.delete(key);
    return { key: this.prefix + key, value: undefined, apply };
  }

  /** The value for the journal; undefined for a removed or foreign key. */
  find(key: string): unknown {
    return key.startsWith(this.prefix)
      ? this.records.get(key.slice(this.prefix.length))
      : undefined;
  }

  /** Reads the journal, except for `newer` keys. @returns the number of records that did not match their schema */
  load(journal: Journal, newer: ReadonlySet<string>): number {
    let unreadable = 0;
    for (const [key, value] of journal.entries(this.prefix)) {
      const parsed = this.schema.safeParse(value);
      if (!parsed.success) unreadable += 1;
      else if (!newer.has(key)) this.records.set(key.slice(this.prefix.length), parsed.data);
    }
    return unreadable;
  }
}

export interface TablesDeps {
  /** Undefined while the disk is down. */
  journal(): Journal | undefined;
  /** Why it is not open. */
  readonly trouble?: unknown;
  onTrouble(error: unknown): void;
  onWell(): void;
}

/** Limit of waiting for a disk that neither writes nor fails. */
const mostWaitMs = 2000;

/** The tables of one journal. */
export class Tables {
  private readonly tables: Pick<Table<unknown>, 'find' | 'load'>[] = [];
  private readonly deps: TablesDeps;
  /** Keys whose last change is not in the journal yet. */
  private readonly dirty = new Set<string>();
  /** Keys that are being written; memory has their old state until then. */
  private readonly writing = new Set<string>();
  private flushing: Promise<void> = Promise.resolve();

  constructor(deps: TablesDeps) {
    this.deps = deps;
  }

  /** Adds a table, before the journal is read. @param prefix of its keys in the journal */
  table<T>(prefix: string, schema: RecordSchema<T>, keyOf: (record: T) => string): Table<T> {
    const table = new Table(prefix, schema, keyOf);
    this.tables.push(table);
    return table;
  }

  /** Reads the journal; keeps newer records in memory. @returns the number of unreadable records */
  load(journal: Journal): number {
    return this.tables.reduce((sum, table) => sum + table.load(journal, this.dirty), 0);
  }

  /**
   * Writes changes atomically to the journal, then applies them.
   *
   * @throws StorageUnavailable Nothing is changed.
   */
  async write(changes: readonly Change[]): Promise<void> {
    const journal = this.deps.journal();
    const { trouble } = this.deps;
    if (journal === undefined && trouble instanceof StorageUnavailable) throw trouble;
    if (journal === undefined) throw new StorageUnavailable('journal', 'not opened', trouble);
    for (const { key } of changes) this.writing.add(key);
    try {
      await journal.write(toJournal(changes));
      for (const change of changes) change.apply();
    } catch (error) {
      this.deps.onTrouble(error);
      throw error;
    } finally {
      for (const { key } of changes) this.writing.delete(key);
    }
    this.deps.onWell();
  }

  /**
   * Applies changes now, and writes them when the disk allows. For work that must not wait for the disk, such as turning
   * power on. Resolves after the first attempt to write, or after `mostWaitMs`. Never throws.
   */
  async writeLater(changes: readonly Change[]): Promise<void> {
    for (const change of changes) {
      change.apply();
      this.dirty.add(change.key);
    }
    const waiting = new AbortController();
    const tooLong = pause(mostWaitMs, waiting.signal).then(
      () => this.deps.onTrouble(new Error(`the disk has not responded for ${mostWaitMs / 1000} s`)),
      () => undefined,
    );
    await Promise.race([this.writeDirty(), tooLong]);
    waiting.abort();
  }

  /** Writes pending changes, and restores a deleted directory. Never throws. */
  async flush(): Promise<void> {
    const journal = this.deps.journal();
    const isRestored = await journal?.restore().catch((error) => this.deps.onTrouble(error));
    if (isRestored) {
      const what = 'the directory was deleted while in use';
      this.deps.onTrouble(new Error(`${journal?.folder}: ${what}; it was restored`));
    }
    await this.writeDirty();
  }

  private async writeDirty(): Promise<void> {
    this.flushing = this.flushing.then(() => this.writeDirtyNow());
    await this.flushing;
  }

  private async writeDirtyNow(): Promise<void> {
    const journal = this.deps.journal();
    const keys = [...this.dirty].filter((key) => !this.writing.has(key));
    if (keys.length === 0 || journal === undefined) return;
    for (const key of keys) this.dirty.delete(key);
    try {
      await journal.write(toJournal(keys.map((key) => ({ key, value: this.find(key) }))));
      this.deps.onWell();
    } catch (error) {
      for (const key of keys) this.dirty.add(key);
      this.deps.onTrouble(error);
    }
  }

  private find(key: string): unknown {
    return this.tables.map((table) => table.find(key)).find((value) => value !== undefined);
  }
}

/** The last change of a key counts, as in memory. */
function toJournal(changes: readonly Pick<Change, 'key' | 'value'>[]): JournalChange {
  const put = new Map<string, unknown>();
  for (const { key, value } of changes) {
    if (value === undefined) put.delete(key);
    else put.set(key, value);
  }
  const gone = changes.filter(({ value }) => value === undefined);
  return { put: Object.fromEntries(put), delete: gone.map(({ key }) => key) };
}
