/**
 * A file that is needed for a moment, and must not lie on the disk in the clear: encrypted with a key that only this process has,
 * and that is gone with it.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

const algorithm = 'aes-256-ctr';

export class SealedFile {
  readonly size: number;
  private readonly path: string;
  private readonly key: Buffer;
  private readonly iv: Buffer;

  private constructor(path: string, size: number, key: Buffer, iv: Buffer) {
    this.path = path;
    this.size = size;
    this.key = key;
    this.iv = iv;
  }

  /** @throws Error Of the source or of the system; nothing is left then. */
  static async from(
    source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    { folder, signal }: { folder: string; signal: AbortSignal },
  ): Promise<SealedFile> {
    const path = join(folder, `${randomBytes(12).toString('hex')}.tmp`);
    const key = randomBytes(32);
    const iv = randomBytes(16);
    let size = 0;
    async function* counted() {
      for await (const chunk of source) {
        size += chunk.length;
        yield chunk;
      }
    }
    try {
      const target = createWriteStream(path, { flags: 'wx', mode: 0o600 });
      await pipeline(counted, createCipheriv(algorithm, key, iv), target, { signal });
      return new SealedFile(path, size, key, iv);
    } catch (error) {
      await rm(path, { force: true }).catch(() => undefined);
      throw error;
    }
  }

  stream(): Readable {
    const source = createReadStream(this.path);
    const plain = createDecipheriv(algorithm, this.key, this.iv);
    source.on('error', (error) => plain.destroy(error));
    plain.on('close', () => source.destroy());
    return source.pipe(plain);
  }

  async remove(): Promise<void> {
    await rm(this.path, { force: true });
  }
}
