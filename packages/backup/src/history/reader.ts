/** Reads versions and contents from a git repository of configurations. Read-only. */
import { createHash, type Hash } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { BackupError } from '@skolo/equipment/models/configuration';
import { notRead } from '../git/storage-error.ts';
import type { Version } from '../source.ts';
import { trailersOf } from './commit-message.ts';
import { readFile, readNames, readVersions } from './commits.ts';
import { encrypted, isDeviceName, pathOf } from './device-file.ts';

interface HistoryPlace {
  /** The git directory. */
  dir: string;
  branch: string;
  /** For people, without secrets. */
  place: string;
  /** Decrypts `NAME.age`; absent: it cannot be decrypted. */
  decrypt?: ((content: Buffer) => Promise<Buffer>) | undefined;
  /** Called with the path of a file whose content is used, and its version. @throws BackupError It must not be used. */
  admit?: (path: string, id: string) => void;
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

  /** Newest first. @throws BackupError */
  async versions(device: string, { limit }: { limit?: number } = {}): Promise<Version[]> {
    const { dir, branch } = this.history;
    const path = pathOf(device);
    return await this.reading(this.nameOf(device), () =>
      readVersions(dir, { branch, paths: [path, `${path}.age`], device, limit }),
    );
  }

  /** @throws BackupError */
  async content(version: Version): Promise<Buffer> {
    const { decrypt, place } = this.history;
    const hash = createHash('sha1');
    const chunks: Buffer[] = [];
    let isEncrypted = false;
    for await (const { path, chunk } of this.stored(version)) {
      if (chunks.length === 0) this.history.admit?.(path, version.id);
      isEncrypted = encrypted.test(path);
      chunks.push(chunk);
      // One at a time: a large content would block the process.
      if (!isEncrypted) hash.update(chunk);
    }
    const stored = Buffer.concat(chunks);
    if (!isEncrypted) {
      this.compare(version, hash);
      return stored;
    }
    if (!decrypt) {
      throw new BackupError(
        'no-key',
        `${place}: ${version.device} is encrypted; specify the matching identity with --identity`,
      );
    }
    const content = await decrypt(stored);
    const { sealed } = version;
    const trailers = sealed === undefined ? '' : await decrypt(Buffer.from(sealed, 'base64'));
    const sha1 = trailersOf(`${trailers}`).get('SHA1') ?? version.sha1;
    this.compare({ ...version, sha1 }, hash.update(content));
    return content;
  }

  /** Writes to a new file with mode 0600, as stored. @throws BackupError */
  async contentToFile(version: Version, file: string): Promise<void> {
    const hash = createHash('sha1');
    const pieces = this.stored(version);
    async function* content() {
      for await (const { chunk } of pieces) {
        hash.update(chunk);
        yield chunk;
      }
    }
    let isOurs = false;
    try {
      const target = await open(file, 'wx', 0o600);
      isOurs = true;
      await pipeline(content, target.createWriteStream());
      this.compare(version, hash);
    } catch (error) {
      if (isOurs) await rm(file, { force: true }).catch(() => undefined);
      throw notRead(`${this.nameOf(version.device)}: ${file} cannot be written`, error);
    }
  }

  /** Streams a version's content. @throws BackupError */
  private async *stored({ id, device }: Version): AsyncGenerator<{ path: string; chunk: Buffer }> {
    const path = pathOf(device);
    let isFound = false;
    try {
      for await (const piece of readFile(this.history.dir, id, [path, `${path}.age`])) {
        isFound = true;
        yield piece;
      }
    } catch (error) {
      throw notRead(`${this.nameOf(device)} cannot be read`, error);
    }
    if (isFound) return;
    throw new BackupError('not-found', `${this.nameOf(device)} has no version ${id.slice(0, 100)}`);
  }

  /** Without the hashes, because the message may reach people who must not read the content. */
  private compare({ device, time, sha1 }: Version, hash: Hash) {
    if (sha1 === undefined || hash.digest('hex') === sha1) return;
    throw new BackupError(
      'damaged',
      `${this.nameOf(device)}, version of ${time}: its content does not match its SHA-1`,
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
