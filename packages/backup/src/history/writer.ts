/** Writes a history: tracks the branch's state, and adds to it. One call at a time, which the repository ensures. */

import type { Content } from '@skolo/equipment/models/backup';
import type { BackupError } from '@skolo/equipment/models/configuration';
import { type Digest, importCommits, type NewCommit } from '../git/fast-import.ts';
import { GitFailed } from '../git/git.ts';
import { removeLeftovers } from '../git/leftovers.ts';
import { notRead, notStored } from '../git/storage-error.ts';
import type { Version } from '../source.ts';
import { type CommitAbout, commitMessage, newNonce, versionOf } from './commit-message.ts';
import { type DeviceHistory, readDevices, readTip } from './commits.ts';
import { isDeviceName, pathOf } from './device-file.ts';
import { authorOf, branch, findUnreadable, syncCommits } from './folder.ts';

/** What to store: a version, or, without content, a note. */
export interface Entry {
  device: string;
  about: CommitAbout;
  stored?: { content: Content; digest: Promise<Digest> };
}

/** The device's newest version afterwards, if any, or why it was not stored. */
export type Written = { newest: Version | undefined } | { error: BackupError };

const triesAgainstOthers = 5;
const moved = /new tip \S+ does not contain|cannot lock ref/i;

export class HistoryWriter {
  /** Each device's state on the branch. */
  heads = new Map<string, DeviceHistory>();
  private readonly dir: string;
  /** For people. */
  private readonly folder: string;
  private tip = '';
  /** Whether the branch may have moved: a failed commit may have been written nevertheless. */
  private inDoubt = true;

  constructor(dir: string, folder: string) {
    this.dir = dir;
    this.folder = folder;
  }

  /** Takes over the branch's state, after syncing it. @throws BackupError */
  async catchUp(): Promise<void> {
    try {
      const tip = await readTip(this.dir, branch);
      if (tip !== this.tip) {
        const devices = await readDevices(this.dir, tip);
        this.heads = new Map([...devices].filter(([name]) => isDeviceName(name)));
        this.tip = tip;
      }
      // Renames by an earlier process may not survive a power cut.
      await syncCommits(this.dir);
      this.inDoubt = false;
    } catch (error) {
      const unreadable = await findUnreadable(this.dir);
      throw unreadable ?? notRead(`${this.folder}: the history cannot be read`, error);
    }
  }

  /** Stores all items with a single git process, durably; if that fails, one at a time. All items must be for different devices. */
  async write(entries: readonly Entry[]): Promise<Written[]> {
    try {
      await this.attempt(entries);
      return entries.map(({ device }) => ({ newest: this.heads.get(device)?.newest }));
    } catch (error) {
      const [only, another] = entries;
      if (only && !another) {
        return [{ error: notStored(`${this.folder}: ${only.device} could not be stored`, error) }];
      }
      const results: Written[] = [];
      for (const entry of entries) results.push(...(await this.write([entry])));
      return results;
    }
  }

  /** Retries if the branch moved in the meantime: a git that outlived an earlier process has finished. */
  private async attempt(entries: readonly Entry[]): Promise<void> {
    for (let count = 1; ; count += 1) {
      if (this.inDoubt) await this.catchUp();
      try {
        await this.append(entries);
        return;
      } catch (error) {
        if (this.inDoubt) await removeLeftovers(this.dir);
        const hasMoved = error instanceof GitFailed && moved.test(error.stderr);
        if (!hasMoved || count === triesAgainstOthers) throw error;
      }
    }
  }

  private async append(entries: readonly Entry[]): Promise<void> {
    const changed = await this.changedOf(entries);
    if (changed.length === 0) return;
    const commits = changed.map((change) => {
      return commitOf(change, this.heads.has(change.device) ? 'changed' : 'first version');
    });
    this.inDoubt = true;
    const ids = await importCommits(this.dir, { branch, parent: this.tip, commits });
    await syncCommits(this.dir);
    for (const [index, { device, digest }] of changed.entries()) {
      const [id, commit] = [ids[index], commits[index]];
      if (id === undefined || commit === undefined)
        throw new Error('git did not report the commits that it created');
      this.tip = id;
      if (!digest) continue;
      const newest = versionOf({ id, ...commit }, device);
      const count = (this.heads.get(device)?.count ?? 0) + 1;
      this.heads.set(device, { blob: digest.blob, newest, count });
    }
    this.inDoubt = false;
  }

  /** Notes, and contents that differ from the newest version. */
  private async changedOf(entries: readonly Entry[]): Promise<Change[]> {
    const changed: Change[] = [];
    for (const { device, about, stored } of entries) {
      const digest = await stored?.digest;
      if (digest && this.heads.get(device)?.blob === digest.blob) continue;
      changed.push({ device, about, content: stored?.content, digest });
    }
    return changed;
  }
}

interface Change {
  device: string;
  about: CommitAbout;
  content: Content | undefined;
  digest: Digest | undefined;
}

function commitOf({ device, about, content, digest }: Change, summary: string): NewCommit {
  const { size, sha1 } = digest ?? {};
  const readAt = Date.parse(about.time);
  return {
    message: commitMessage(`${device}: ${about.summary ?? summary}`, {
      ...about,
      device,
      size,
      sha1,
      nonce: about.nonce ?? newNonce(),
    }),
    committedAt: Math.floor((Number.isNaN(readAt) ? Date.now() : readAt) / 1000),
    author: authorOf(about.rack),
    ...(content && digest && { file: { path: pathOf(device), content, digest } }),
  };
}
