/**
 * The history of a rack's configurations: a bare git repository with one file for each device on the branch `main`, and one
 * commit for each change. `git log -p devices/NAME` shows it to people.
 *
 * How it stays sound: each commit is one `git fast-import`, which syncs what it writes and moves the branch last; the
 * folders are synced before the commit counts as done. What the branch has now is kept in memory, so a device that has
 * not changed costs no process. One process writes a history; others may read it meanwhile.
 */
import { type CommitAbout, commitMessage, versionOf } from './commit-message.ts';
import { isDeviceName, pathOf } from './device-file.ts';
import { changedLines } from './diff.ts';
import { BackupError } from './errors.ts';
import { type Digest, digest, importCommit } from './fast-import.ts';
import { GitFailed } from './git.ts';
import { type DeviceHistory, readDevices, readTip } from './history.ts';
import { HistoryReader } from './history-reader.ts';
import { removeLeftovers } from './leftovers.ts';
import type { Content } from './models/model.ts';
import { authorOf, branch, openFolder, syncCommits } from './repository-folder.ts';
import type { BackupSource, Version } from './source.ts';
import { notRead, notStored } from './storage-error.ts';
import { findDamage, repack } from './upkeep.ts';

export interface Change {
  device: string;
  content: Content;
  about: CommitAbout;
}

/** Changes of larger contents are not counted in lines. */
const countedUpTo = 2 << 20;
const triesAgainstOthers = 5;

export class Repository implements BackupSource {
  private readonly folder: string;
  private readonly dir: string;
  private readonly reader: HistoryReader;
  private tip = '';
  private heads = new Map<string, DeviceHistory>();
  /** Whether the branch may be elsewhere than we think: a commit failed, and may be there nevertheless. */
  private inDoubt = true;
  private last: Promise<unknown> = Promise.resolve();
  private closed = false;

  private constructor(folder: string, dir: string) {
    this.folder = folder;
    this.dir = dir;
    this.reader = new HistoryReader({ dir, branch, place: folder });
  }

  /**
   * Makes one where the folder is missing or empty.
   *
   * @throws BackupError `damaged`: git cannot read it, see `setAside`. `storage`: the disk does not take it, or there is no git
   */
  static async open(folder: string, { rack }: { rack?: string } = {}): Promise<Repository> {
    const repository = new Repository(folder, await openFolder(folder, rack));
    await removeLeftovers(repository.dir);
    await repository.catchUp();
    return repository;
  }

  async devices(): Promise<string[]> {
    return [...this.heads.keys()].sort();
  }

  /** Kept in memory. */
  async newest(device: string): Promise<Version | undefined> {
    return this.heads.get(device)?.newest;
  }

  /** How many versions. Kept in memory. */
  async count(device: string): Promise<number> {
    return this.heads.get(device)?.count ?? 0;
  }

  async versions(device: string, options?: { limit?: number }): Promise<Version[]> {
    return this.heads.has(device) ? await this.reader.versions(device, options) : [];
  }

  async content(version: Version): Promise<Buffer> {
    return await this.reader.content(version);
  }

  /**
   * The same for one that is too large for memory. The file must not be there; mode 0600.
   *
   * @throws BackupError
   */
  async contentToFile(version: Version, file: string): Promise<void> {
    await this.reader.contentToFile(version, file);
  }

  /**
   * Durable when fulfilled. A content that is the newest already gives that version, and no commit.
   *
   * @throws BackupError `storage`: it is not stored, or, where the disk failed in the last moment, may be; asked again with
   *   the same content, it is stored once. `damaged`: the history cannot be read.
   */
  async commit({ device, content, about }: Change): Promise<Version> {
    const path = pathOf(device);
    return await this.inTurn(async () => {
      const stored = await this.digested(device, content);
      return await this.write(async () => {
        const head = this.heads.get(device);
        if (head?.blob === stored.blob) return head.newest;
        const subject = `${device}: ${about.summary ?? (await this.summary(head, content))}`;
        const { size, sha1 } = stored;
        const message = commitMessage(subject, { ...about, device, size, sha1 });
        const commit = await this.append(message, about, { path, content, digest: stored });
        const newest = versionOf(commit, device);
        this.heads.set(device, { blob: stored.blob, newest, count: (head?.count ?? 0) + 1 });
        return newest;
      }, device);
    });
  }

  /**
   * A commit that changes nothing, for the history: the device is retired, or back in the rack.
   *
   * @throws BackupError `storage`, `damaged`
   */
  async note(device: string, summary: string, about: CommitAbout): Promise<void> {
    pathOf(device);
    await this.inTurn(async () => {
      const message = commitMessage(`${device}: ${summary}`, { ...about, device });
      await this.write(async () => void (await this.append(message, about)), device);
    });
  }

  /**
   * Looks at everything that is stored: whether git finds it sound, and the newest version of each device is what its commit
   * says. Says what is wrong, for people.
   *
   * @throws BackupError `storage`: it could not be looked at. Else what `signal` was aborted with.
   */
  async check(signal: AbortSignal): Promise<string | undefined> {
    const damage = await this.findDamage(signal);
    // Beside a commit or `maintain` it may have looked for what was just being moved.
    return damage && (await this.inTurn(() => this.findDamage(signal)));
  }

  /**
   * Keeps the folder small and quick; once a day is enough. Nothing is thrown away. Commits wait for it.
   *
   * @throws BackupError. Else what `signal` was aborted with.
   */
  async maintain(signal: AbortSignal): Promise<void> {
    await this.inTurn(async () => {
      await removeLeftovers(this.dir);
      try {
        await repack(this.dir, signal);
        await syncCommits(this.dir);
      } catch (error) {
        await removeLeftovers(this.dir);
        throw signal.aborted ? error : notStored(`${this.folder}: cannot be repacked`, error);
      }
    });
  }

  /** Waits for what is being written. */
  async close(): Promise<void> {
    this.closed = true;
    await this.last;
  }

  private async findDamage(signal: AbortSignal) {
    const damage = await findDamage(this.dir, signal);
    if (damage !== undefined) return damage;
    for (const { newest } of [...this.heads.values()]) {
      signal.throwIfAborted();
      const wrong = await this.reader.damageOf(newest);
      if (wrong !== undefined) return wrong;
    }
    return undefined;
  }

  private async append(
    message: string,
    about: CommitAbout,
    file?: { path: string; content: Content; digest: Digest },
  ) {
    const readAt = Date.parse(about.time);
    const committedAt = Math.floor((Number.isNaN(readAt) ? Date.now() : readAt) / 1000);
    this.inDoubt = true;
    const id = await importCommit(this.dir, {
      branch,
      parent: this.tip,
      message,
      committedAt,
      author: authorOf(about.rack),
      ...(file && { file }),
    });
    await syncCommits(this.dir);
    this.tip = id;
    this.inDoubt = false;
    return { id, committedAt, message };
  }

  /** Tries again where the branch moved meanwhile: a git that outlived the process before us came through. */
  private async write<T>(attempt: () => Promise<T>, device: string): Promise<T> {
    for (let count = 1; ; count += 1) {
      if (this.inDoubt) await this.catchUp();
      try {
        return await attempt();
      } catch (error) {
        if (!this.inDoubt) throw error;
        await removeLeftovers(this.dir);
        const isMoved =
          error instanceof GitFailed &&
          /new tip .* does not contain|cannot lock ref/.test(error.stderr);
        if (!isMoved || count === triesAgainstOthers) {
          throw notStored(`${this.folder}: ${device} is not stored`, error);
        }
      }
    }
  }

  /** Takes what the branch has for true, and has it on the disk. */
  private async catchUp() {
    try {
      const tip = await readTip(this.dir, branch);
      if (tip !== this.tip) {
        const devices = await readDevices(this.dir, tip);
        this.heads = new Map([...devices].filter(([name]) => isDeviceName(name)));
        this.tip = tip;
      }
      // What a process before us renamed may not be there after a power cut.
      await syncCommits(this.dir);
      this.inDoubt = false;
    } catch (error) {
      throw notRead(`${this.folder}: the history cannot be read`, error);
    }
  }

  private async digested(device: string, content: Content) {
    try {
      return await digest(content);
    } catch (error) {
      throw notStored(`${device}: what was read cannot be stored`, error);
    }
  }

  private async summary(head: DeviceHistory | undefined, content: Content): Promise<string> {
    if (!head) return 'first version';
    if (!('bytes' in content) || content.bytes.length > countedUpTo) return 'changed';
    if ((head.newest.size ?? Number.POSITIVE_INFINITY) > countedUpTo) return 'changed';
    try {
      const { added, removed } = changedLines(
        (await this.reader.blob(head.blob)).toString('latin1'),
        content.bytes.toString('latin1'),
      );
      return `changed (+${added} -${removed})`;
    } catch {
      // One that is damaged must not keep the next one from being stored.
      return 'changed';
    }
  }

  /** One after another. */
  private async inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.closed) throw new BackupError('storage', `${this.folder}: the history is closed`);
    const turn = this.last.then(work);
    this.last = turn.catch(() => undefined);
    return await turn;
  }
}
