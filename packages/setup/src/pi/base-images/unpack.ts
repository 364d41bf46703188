/**
 * Unpacks a published image and computes its digests.
 *
 * xz is the program, and no library: each Linux has it, and it knows every check of the format. xz-decompress
 * (wasm) rejected a file with the check SHA-256 when it was tried.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { PassThrough, type Readable, type Transform, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { errorCode, errorText, isDiskFull } from '@skolo/base';
import { PiError } from '../errors.ts';
import { dataIn } from '../image/write-image.ts';

const formats = ['.xz', '.gz', '.zst'] as const;
type Format = (typeof formats)[number];

/** `raspios.img` of `raspios.img.xz`; undefined: it is not an image that skolo can unpack. */
export function imageName(file: string): string | undefined {
  const name = formats.reduce(
    (text, end) => (text.endsWith(end) ? text.slice(0, -end.length) : text),
    file,
  );
  return name.endsWith('.img') && /^[\w.+-]+$/.test(name) ? name : undefined;
}

interface Unpacked {
  /** SHA-256 of the published file, and of the image. */
  publishedSha256: string;
  sha256: string;
  /** Of the image, bytes. */
  size: number;
}

/** Writes the image to a file. @throws PiError The published file is damaged. */
export async function unpack(
  published: string,
  to: string,
  signal: AbortSignal,
): Promise<Unpacked> {
  const [outer, inner] = [createHash('sha256'), createHash('sha256')];
  const file = await open(to, 'w', 0o600);
  let size = 0;
  const counted = new PassThrough();
  counted.on('data', (bytes: Buffer) => outer.update(bytes));
  const written = new Writable({
    highWaterMark: 1 << 20,
    write(bytes: Buffer, _, done) {
      inner.update(bytes);
      const at = size;
      size += bytes.length;
      writeData(file, bytes, at).then(() => done(), done);
    },
  });
  try {
    const source = createReadStream(published, { highWaterMark: 1 << 20 });
    const format = formats.find((end) => published.endsWith(end));
    if (format === '.xz') await throughXz(source, counted, written, signal);
    else await pipeline([source, counted, ...decompressor(format), written], { signal });
    await file.truncate(size);
    await file.sync();
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof PiError || isDiskFull(error) || errorCode(error) === 'EIO') throw error;
    throw new PiError(
      `${published} cannot be unpacked (${errorText(error)}); download the image again`,
      {
        cause: error,
      },
    );
  } finally {
    await file.close();
  }
  return { publishedSha256: outer.digest('hex'), sha256: inner.digest('hex'), size };
}

function decompressor(format: Format | undefined): Transform[] {
  if (format === '.gz') return [createGunzip()];
  return format === '.zst' ? [createZstdDecompress()] : [];
}

async function throughXz(
  source: Readable,
  counted: PassThrough,
  written: Writable,
  signal: AbortSignal,
): Promise<void> {
  const xz = spawn('xz', ['--decompress', '--stdout', '--threads=0'], { stdio: 'pipe', signal });
  const said: Buffer[] = [];
  xz.stderr.on('data', (bytes: Buffer) => said.push(bytes));
  const ended = once(xz, 'close');
  const started = once(xz, 'spawn').catch((cause: unknown) => {
    signal.throwIfAborted();
    throw new PiError(
      'xz is missing; run apt-get install xz-utils, or unpack the image with another program and specify the .img file',
      { cause },
    );
  });
  // Its end is waited for below.
  ended.catch(() => undefined);
  await started;
  const [fed, done] = await Promise.allSettled([
    pipeline(source, counted, xz.stdin, { signal }),
    pipeline(xz.stdout, written, { signal }),
  ]);
  const [code] = await ended;
  const text = Buffer.concat(said)
    .toString()
    .trim()
    .replace(/^.*?: /, '');
  if (code !== 0) throw new Error(text || 'xz failed');
  for (const each of [fed, done]) if (each.status === 'rejected') throw each.reason;
}

/** Without zeros. */
async function writeData(
  file: Awaited<ReturnType<typeof open>>,
  bytes: Buffer,
  offset: number,
): Promise<void> {
  for (const { from, to } of dataIn(bytes)) await file.write(bytes, from, to - from, offset + from);
}
