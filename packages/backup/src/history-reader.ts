/** Versions and contents out of a git repository of configurations. Only reads. */
import { createHash, type Hash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { errorCode } from '@skolo/errors';
import { BackupError } from '@skolo/models/configuration';
import { encrypted, isDeviceName, pathOf } from './device-file.ts';
import { hashed } from './fast-import.ts';
import { git, startGit } from './git.ts';
import { findBlob, readNames, readVersions } from './history.ts';
import type { Version } from './source.ts';
import { notRead } from './storage-error.ts';

const contentMayTake = 600_000;

export interface HistoryPlace {
  /** The git directory. */
  dir: string;
  branch: string;
  /** For people, without secrets. */
  place: string;
  /** Opens what is in `NAME.age`; absent: it cannot be opened. */
  decrypt?: ((content: Buffer) => Promise<Buffer>) | undefined;
}

export class HistoryReader {
  private readonly history: HistoryPlace;

  constructor(history: HistoryPlace) {
    this.history = history;
  }

  /** Names, sorted. @throws BackupError */
  async devices(): Promise<string[]> {
    const { dir, branch, place } = this.history;
    const names = await this.reading(place, () => readNames(dir, branch));
    const devices = names.map((name) => name.replace(encrypted, '')).filter(isDeviceName);
    return [...new Set(devices)].sort();
  }

  /** The newest first. @throws BackupError */
  async versions(device: string, { limit }: { limit?: number } = {}): Promise<Version[]> {
    const { dir, branch } = this.history;
    const path = pathOf(device);
    return await this.reading(this.nameOf(device), () =>
      readVersions(dir, { branch, paths: [path, `${path}.age`], device, limit }),
    );
  }

  /** @throws BackupError */
  async content(version: Version): Promise<Buffer> {
    const { dir, decrypt, place } = this.history;
    const { blob, path } = await this.find(version);
    const stored = await this.reading(this.nameOf(version.device), () =>
      git(['cat-file', 'blob', blob], { dir, timeoutMs: contentMayTake }),
    );
    if (!encrypted.test(path)) return this.compared(version, stored);
    if (!decrypt) {
      throw new BackupError(
        'no-key',
        `${place}: ${version.device} is encrypted; give the identity that opens it`,
      );
    }
    return this.compared(version, await decrypt(stored));
  }

  /** To a file that is not there yet, mode 0600. As it is stored. @throws BackupError */
  async contentToFile(version: Version, file: string): Promise<void> {
    const { blob } = await this.find(version);
    const { dir } = this.history;
    try {
      const target = createWriteStream(file, { flags: 'wx', mode: 0o600 });
      const source = startGit(['cat-file', 'blob', blob], { dir, timeoutMs: contentMayTake });
      source.stdin.end();
      const hash = createHash('sha1');
      await pipeline(source.stdout, (chunks) => hashed(chunks, hash), target);
      await this.reading(this.nameOf(version.device), () => source.ended);
      this.compare(version, hash);
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') await rm(file, { force: true }).catch(() => undefined);
      throw notRead(`${this.nameOf(version.device)}: ${file} cannot be written`, error);
    }
  }

  private async find({ id, device }: Version) {
    const path = pathOf(device);
    const paths = [path, `${path}.age`];
    const found = await this.reading(this.nameOf(device), () =>
      findBlob(this.history.dir, id, paths),
    );
    if (found) return found;
    throw new BackupError('not-found', `${this.nameOf(device)} has no version ${id.slice(0, 100)}`);
  }

  /** The content, which is what its version says. */
  private compared(version: Version, content: Buffer): Buffer {
    this.compare(version, createHash('sha1').update(content));
    return content;
  }

  private compare({ device, id, sha1 }: Version, hash: Hash) {
    const found = hash.digest('hex');
    if (sha1 === undefined || found === sha1) return;
    throw new BackupError(
      'damaged',
      `${this.nameOf(device)}, version ${id.slice(0, 10)}: its content has the SHA-1 ${found}, not ${sha1}`,
    );
  }

  private nameOf(device: string) {
    return `${this.history.place}: ${device}`;
  }

  private async reading<T>(what: string, read: () => Promise<T>): Promise<T> {
    try {
      return await read();
    } catch (error) {
      throw notRead(`${what} cannot be read`, error);
    }
  }
}
