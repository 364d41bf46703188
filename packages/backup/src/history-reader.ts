/** Versions and contents out of a git repository of configurations. Only reads. */
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { pathOf } from './device-file.ts';
import { BackupError } from './errors.ts';
import { git, startGit } from './git.ts';
import { readBlobId, readTip, readVersions } from './history.ts';
import type { Version } from './source.ts';
import { codeOf, notRead } from './storage-error.ts';

const contentMayTake = 600_000;

export class HistoryReader {
  private readonly dir: string;
  private readonly branch: string;
  /** As people know it. */
  private readonly place: string;

  constructor(dir: string, branch: string, place: string) {
    this.dir = dir;
    this.branch = branch;
    this.place = place;
  }

  /** @throws BackupError */
  async versions(device: string, { limit }: { limit?: number } = {}): Promise<Version[]> {
    const path = pathOf(device);
    return await this.reading(device, async () => {
      const tip = await readTip(this.dir, this.branch);
      return await readVersions(this.dir, { tip, path, device, limit });
    });
  }

  /** @throws BackupError */
  async content({ id, device, sha1 }: Version): Promise<Buffer> {
    const content = await this.reading(device, async () =>
      this.blob(await readBlobId(this.dir, id, pathOf(device))),
    );
    if (sha1 !== undefined)
      this.compare(createHash('sha1').update(content).digest('hex'), sha1, device);
    return content;
  }

  /** @throws GitFailed */
  async blob(id: string): Promise<Buffer> {
    return await git(['cat-file', 'blob', id], { dir: this.dir, timeoutMs: contentMayTake });
  }

  /** @throws BackupError */
  async contentToFile({ id, device, sha1 }: Version, file: string): Promise<void> {
    const blob = await this.reading(device, () => readBlobId(this.dir, id, pathOf(device)));
    const hash = createHash('sha1');
    const hashing = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        hash.update(chunk);
        done(null, chunk);
      },
    });
    const source = startGit(['cat-file', 'blob', blob], {
      dir: this.dir,
      timeoutMs: contentMayTake,
    });
    source.stdin.end();
    try {
      await pipeline(source.stdout, hashing, createWriteStream(file, { flags: 'wx', mode: 0o600 }));
      await this.reading(device, () => source.ended);
      if (sha1 !== undefined) this.compare(hash.digest('hex'), sha1, device);
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') await rm(file, { force: true }).catch(() => undefined);
      throw notRead(`${device}: ${file} cannot be written`, error);
    }
  }

  private compare(found: string, sha1: string, device: string) {
    if (found === sha1) return;
    throw new BackupError(
      'damaged',
      `${this.place}: the content of ${device} has the SHA-1 ${found}, not ${sha1}`,
    );
  }

  private async reading<T>(device: string, read: () => Promise<T>): Promise<T> {
    try {
      return await read();
    } catch (error) {
      throw notRead(`${this.place}: ${device} cannot be read`, error);
    }
  }
}
