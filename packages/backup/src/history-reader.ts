/** Versions and contents out of a git repository of configurations. Only reads. */
import { createHash, type Hash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { errorCode } from '@skolo/errors';
import { BackupError } from '@skolo/models/configuration';
import { encrypted, isDeviceName, pathOf } from './device-file.ts';
import { startGit } from './git.ts';
import { findBlob, readNames, readTip, readVersions } from './history.ts';
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
  decrypt?: (content: Buffer) => Promise<Buffer>;
}

export class HistoryReader {
  private readonly history: HistoryPlace;

  constructor(history: HistoryPlace) {
    this.history = history;
  }

  /** Names, sorted. @throws BackupError */
  async devices(): Promise<string[]> {
    const { dir, branch, place } = this.history;
    const names = await this.reading(place, async () => readNames(dir, await readTip(dir, branch)));
    const devices = names.map((name) => name.replace(encrypted, '')).filter(isDeviceName);
    return [...new Set(devices)].sort();
  }

  /** The newest first. @throws BackupError */
  async versions(device: string, { limit }: { limit?: number } = {}): Promise<Version[]> {
    const { dir, branch } = this.history;
    const path = pathOf(device);
    return await this.reading(this.nameOf(device), async () => {
      const tip = await readTip(dir, branch);
      return await readVersions(dir, { tip, paths: [path, `${path}.age`], device, limit });
    });
  }

  /** @throws BackupError */
  async content(version: Version): Promise<Buffer> {
    const { decrypt, place } = this.history;
    const { blob, path } = await this.find(version);
    const chunks: Buffer[] = [];
    const collect = new Writable({
      write(chunk: Buffer, _encoding, done) {
        chunks.push(chunk);
        done();
      },
    });
    const hash = await this.copy(version, blob, collect);
    const stored = Buffer.concat(chunks);
    if (!encrypted.test(path)) {
      this.compare(version, hash);
      return stored;
    }
    if (!decrypt) {
      throw new BackupError(
        'no-key',
        `${place}: ${version.device} is encrypted; give the identity that opens it`,
      );
    }
    const content = await decrypt(stored);
    this.compare(version, createHash('sha1').update(content));
    return content;
  }

  /** To a file that is not there yet, mode 0600. As it is stored. @throws BackupError */
  async contentToFile(version: Version, file: string): Promise<void> {
    const { blob } = await this.find(version);
    try {
      const target = createWriteStream(file, { flags: 'wx', mode: 0o600 });
      this.compare(version, await this.copy(version, blob, target));
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

  private async copy({ device }: Version, blob: string, target: Writable): Promise<Hash> {
    const { dir } = this.history;
    const source = startGit(['cat-file', 'blob', blob], { dir, timeoutMs: contentMayTake });
    source.stdin.end();
    const hash = createHash('sha1');
    await pipeline(
      source.stdout,
      async function* hashed(chunks: AsyncIterable<Buffer>) {
        for await (const chunk of chunks) {
          hash.update(chunk);
          yield chunk;
        }
      },
      target,
    );
    await this.reading(this.nameOf(device), () => source.ended);
    return hash;
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
