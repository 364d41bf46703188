/**
 * The history of a rack's configurations: a bare git repository with one file for each device on the branch `main`, and one commit for each
 * change. `git log -p -- devices/NAME` shows it to people.
 *
 * For integrity, `git fast-import` makes the commits: it syncs its output and moves the branch last. The directories are synced before a
 * commit counts as done. Simultaneous changes share one git process. The branch's state is cached in memory, so an unchanged device needs
 * no process. Only one process may write a history, while others read it.
 */

import { inOrder } from '@skolo/base';
import type { Content } from '@skolo/equipment/models/backup';
import { BackupError } from '@skolo/equipment/models/configuration';
import { digest } from '../git/fast-import.ts';
import { removeLeftovers } from '../git/leftovers.ts';
import { notRead, notStored } from '../git/storage-error.ts';
import type { BackupSource, Version } from '../source.ts';
import type { CommitAbout } from './commit-message.ts';
import { sha1OfBlobs } from './commits.ts';
import { pathOf } from './device-file.ts';
import { branch, findUnreadable, openFolder, syncCommits } from './folder.ts';
import { HistoryReader } from './reader.ts';
import { findDamage, repack } from './upkeep.ts';
import { type Entry, HistoryWriter, type Written } from './writer.ts';

interface Change {
  device: string;
  content: Content;
  about: CommitAbout;
}

/** Maximum number of changes that share one git process. */
const together = 32;

export class Repository implements BackupSource {
  private readonly folder: string;
  private readonly dir: string;
  private readonly reader: HistoryReader;
  private readonly writer: HistoryWriter;
  private waiting: { entry: Entry; settle: (written: Written) => void }[] = [];
  private readonly turns = inOrder();
  private closed = false;

  private constructor(folder: string, dir: string) {
    this.folder = folder;
    this.dir = dir;
    this.reader = new HistoryReader({ dir, branch, place: folder });
    this.writer = new HistoryWriter(dir, folder);
  }

  /**
   * Creates one if the directory is missing or empty, unless `mayBegin` is false.
   *
   * @throws BackupError `damaged`: git cannot read it, see `repairHistory` and `setAside`. `not-found`: there is none, and none may be
   * created. `storage`: it cannot be written, or git is missing
   */
  static async open(
    folder: string,
    { rack, mayBegin = true }: { rack?: string | undefined; mayBegin?: boolean } = {},
  ): Promise<Repository> {
    const repository = new Repository(folder, await openFolder(folder, rack, { mayBegin }));
    await removeLeftovers(repository.dir);
    await repository.writer.catchUp();
    return repository;
  }

  async devices(): Promise<string[]> {
    return [...this.writer.heads.keys()].sort();
  }

  /** Kept in memory. */
  async newest(device: string): Promise<Version | undefined> {
    return this.writer.heads.get(device)?.newest;
  }

  /** The number of versions, cached in memory. */
  async count(device: string): Promise<number> {
    return this.writer.heads.get(device)?.count ?? 0;
  }

  async versions(device: string, options?: { limit?: number }): Promise<Version[]> {
    return this.writer.heads.has(device) ? await this.reader.versions(device, options) : [];
  }

  async content(version: Version): Promise<Buffer> {
    return await this.reader.content(version);
  }

  /**
   * The same for content that is too large for memory. The file must not exist; mode 0600.
   *
   * @throws BackupError
   */
  async contentToFile(version: Version, file: string): Promise<void> {
    await this.reader.contentToFile(version, file);
  }

  /**
   * Durable when resolved. If the content is already the newest, returns that version without a commit.
   *
   * @throws BackupError `storage`: it is not stored, or, if the disk failed at the last moment, may be stored; repeating the call stores it
   * once. `damaged`: the history cannot be read.
   */
  async commit({ device, content, about }: Change): Promise<Version> {
    pathOf(device);
    const sum = digest(content);
    // The writer reports the error.
    sum.catch(() => undefined);
    const newest = await this.store({ device, about, stored: { content, digest: sum } });
    if (newest) return newest;
    throw new BackupError('storage', `${this.folder}: ${device} could not be stored`);
  }

  /**
   * A commit that changes nothing, as a record: the device is retired, or back in the rack.
   *
   * @throws BackupError `storage`, `damaged`
   */
  async note(device: string, summary: string, about: CommitAbout): Promise<void> {
    pathOf(device);
    await this.store({ device, about: { ...about, summary } });
  }

  /**
   * Checks everything that is stored: whether git finds it intact, and each device's newest version matches its commit. Returns the
   * problems, for people.
   *
   * @throws BackupError `storage`: the check failed. Otherwise the reason of `signal`.
   */
  async check(signal: AbortSignal): Promise<string | undefined> {
    const damage = await this.findDamage(signal);
    // git may have finished before it was aborted, in which case its result was no longer wanted.
    signal.throwIfAborted();
    // During a commit or `maintain`, it may have read files that were being moved.
    return damage && (await this.inTurn(() => this.findDamage(signal)));
  }

  /**
   * Keeps the directory small and fast; once a day is enough. Discards nothing. Commits wait for it.
   *
   * @throws BackupError. Otherwise the reason of `signal`.
   */
  async maintain(signal: AbortSignal): Promise<void> {
    await this.inTurn(async () => {
      await removeLeftovers(this.dir);
      try {
        await repack(this.dir, signal);
        await syncCommits(this.dir);
      } catch (error) {
        await removeLeftovers(this.dir);
        throw signal.aborted ? error : notStored(`${this.folder} cannot be repacked`, error);
      }
    });
  }

  /** Waits for pending writes. */
  async close(): Promise<void> {
    this.closed = true;
    await this.turns(async () => undefined);
  }

  private async findDamage(signal: AbortSignal): Promise<string | undefined> {
    let damage: string | undefined;
    try {
      damage = (await findDamage(this.dir, signal)) ?? (await this.findWrongHead(signal));
    } catch (error) {
      if (signal.aborted) throw error;
      const failure = notRead(`${this.folder} cannot be checked`, error);
      if (failure.code !== 'damaged') throw failure;
      damage = failure.message;
    }
    const unreadable = damage === undefined ? undefined : await findUnreadable(this.dir);
    if (unreadable) throw unreadable;
    return damage;
  }

  private async findWrongHead(signal: AbortSignal): Promise<string | undefined> {
    const heads = [...this.writer.heads.values()];
    const blobs = heads.map(({ blob }) => blob);
    const found = await sha1OfBlobs(this.dir, blobs, signal);
    for (const { blob, newest } of heads) {
      const sha1 = found.get(blob);
      const wrong = sha1 === undefined ? 'is missing' : 'has the wrong SHA-1';
      if (sha1 === undefined || (newest.sha1 !== undefined && newest.sha1 !== sha1)) {
        return `the newest version of ${newest.device} (${newest.time}) ${wrong}`;
      }
    }
    return undefined;
  }

  /** Together with all changes that are queued by then. */
  private async store(entry: Entry): Promise<Version | undefined> {
    if (this.closed) throw this.isClosed();
    const result = await new Promise<Written>((settle, reject) => {
      this.waiting.push({ entry, settle });
      this.inTurn(() => this.writeWaiting()).catch(reject);
    });
    if ('error' in result) throw result.error;
    return result.newest;
  }

  /** One per device, so that each device's order is kept. */
  private async writeWaiting() {
    const taken = new Map<string, (typeof this.waiting)[number]>();
    for (const each of this.waiting) {
      const isNext = taken.size < together && !taken.has(each.entry.device);
      if (isNext) taken.set(each.entry.device, each);
    }
    const batch = [...taken.values()];
    this.waiting = this.waiting.filter((each) => taken.get(each.entry.device) !== each);
    const results = await this.writer.write(batch.map(({ entry }) => entry));
    for (const [index, { settle }] of batch.entries()) {
      const result = results[index];
      if (result) settle(result);
    }
  }

  /** One after another. */
  private async inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.closed) throw this.isClosed();
    return await this.turns(work);
  }

  private isClosed() {
    return new BackupError('storage', `${this.folder}: the history is closed`);
  }
}
