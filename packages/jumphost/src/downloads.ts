/** Files of publishers, checked against the list of checksums that the same publisher made for that version. */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { errorCode, errorText } from '@skolo/errors';
import { JumphostError } from './errors.ts';
import type { LocalFile } from './host.ts';

/** One version of a program, at its publisher's. */
export interface Release {
  /** `node-v24.21.0`: the folder of its files here. */
  name: string;
  /** Where its files are, without a slash at the end. */
  url: string;
  /** Name of the list of SHA-256 checksums; where there is none, what says why a file is another one. */
  sums: string | FileCheck;
}

/** Why these are not the bytes of the publisher; undefined: they are. */
export type FileCheck = (bytes: Buffer) => string | undefined;

export interface DownloadDeps {
  /** Files that are here, in a folder for each release; others are put there. */
  folder: string;
  fetch: typeof fetch;
  signal: AbortSignal;
}

/** Checks and gives a file of a release. It is fetched where it is not here. @throws JumphostError */
export type Download = (release: Release, name: string) => Promise<LocalFile>;

export function downloader({ folder, fetch, signal }: DownloadDeps): Download {
  /** Many computers may want one file at once. */
  const underWay = new Map<string, Promise<void>>();

  return async (release, name) => {
    const at = join(folder, release.name);
    if (typeof release.sums !== 'string') {
      const file = await present(at, release, name);
      const why = release.sums(await readFile(file));
      if (why === undefined) return await localFile(file);
      throw another(file, release, why);
    }
    const sums = await present(at, release, release.sums);
    const wanted = sumIn(await readFile(sums, 'utf8'), name);
    if (wanted === undefined) {
      throw wrongFile(`${sums}: has no checksum of ${name}; is it another version?`);
    }
    const file = await present(at, release, name);
    const sha256 = await sumOf(file);
    if (sha256 === wanted) return { file, sha256 };
    throw another(file, release, `its SHA-256 is ${sha256}, and ${release.sums} has ${wanted}`);
  };

  /** Path of a file that is here now. */
  async function present(at: string, { url }: Release, name: string): Promise<string> {
    const path = join(at, name);
    const isHere = await readStart(path);
    if (!isHere) {
      const got =
        underWay.get(path) ?? get(`${url}/${name}`, at, path).finally(() => underWay.delete(path));
      underWay.set(path, got);
      await got;
    }
    return path;
  }

  async function get(url: string, at: string, path: string): Promise<void> {
    // As it is in the address: k3s has versions with a plus.
    const answer = await fetch(url.replaceAll('+', '%2B'), { signal }).catch((cause: unknown) => {
      signal.throwIfAborted();
      throw missing(url, path, errorText(cause));
    });
    if (!answer.ok || answer.body === null) throw missing(url, path, `status ${answer.status}`);
    await mkdir(at, { recursive: true });
    const draft = `${path}.partial`;
    try {
      await pipeline(Readable.fromWeb(answer.body), createWriteStream(draft), { signal });
      await rename(draft, path);
    } catch (cause) {
      await rm(draft, { force: true });
      signal.throwIfAborted();
      throw missing(url, path, errorText(cause));
    }
  }
}

async function readStart(path: string): Promise<boolean> {
  try {
    for await (const _ of createReadStream(path, { end: 0 })) return true;
    return false;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false;
    throw error;
  }
}

function wrongFile(message: string): JumphostError {
  return new JumphostError(message, { code: 'FILE' });
}

function another(file: string, { url }: Release, why: string): JumphostError {
  return wrongFile(`${file}: is not the file of ${url}: ${why}; delete it, and try again`);
}

function missing(url: string, path: string, why: string): JumphostError {
  return wrongFile(
    `${url}: cannot be fetched (${why}); fetch it on another computer, and put it at ${path}`,
  );
}

/** `HEX  NAME` or `HEX *NAME`, as sha256sum writes it. */
function sumIn(text: string, name: string): string | undefined {
  for (const line of text.split('\n')) {
    const [, sum, file] = /^([0-9a-f]{64}) [ *](.+?)\s*$/.exec(line) ?? [];
    if (file === name) return sum;
  }
  return undefined;
}

async function sumOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

export async function localFile(file: string): Promise<LocalFile> {
  return { file, sha256: await sumOf(file) };
}
