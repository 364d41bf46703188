/**
 * Downloads publishers' files, verified with checksums that are not from the same server: those in skolo, those
 * that somebody has saved locally, or those that an operator has compared with another source, once for each file.
 */

import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { errorCode, errorText, sha256OfFile } from '@skolo/base';
import type { Fetch } from '@skolo/base/internet';
import { ComputerError } from '../errors.ts';
import type { LocalFile } from './host.ts';

/** One published version of a program. */
export interface Release {
  /** `node-v24.21.0`: the local directory of its files. */
  name: string;
  /** URL of its files, without a trailing slash. */
  url: string;
  /** Name of the list of SHA-256 checksums; if there is none, a function that returns why a file does not match. */
  sums: string | FileCheck;
  /** SHA-256 of the file in hexadecimal, if skolo has it from another source. */
  known?: string | undefined;
}

/** A checksum from the server that it protects. */
export interface UnknownSum {
  /** URL of the list. */
  url: string;
  name: string;
  sha256: string;
}

/** Why these are not the publisher's bytes; undefined if they are. */
export type FileCheck = (bytes: Buffer) => string | undefined;

interface DownloadDeps {
  /** Downloaded files, in a directory for each release. */
  folder: string;
  fetch: Fetch;
  signal: AbortSignal;
  /** Whether an operator has found the same checksum elsewhere. Asked once, and stored as `NAME.sha256` next to the file. */
  confirm(sum: UnknownSum): Promise<boolean>;
}

/** Verifies and returns a file of a release, downloading it if necessary. @throws ComputerError */
export type Download = (release: Release, name: string) => Promise<LocalFile>;

export function downloader(deps: DownloadDeps): Download {
  const { folder, confirm } = deps;
  /** By path, because many computers may request the same file. */
  const underWay = new Map<string, Promise<void>>();

  return async (release, name) => {
    const at = join(folder, release.name);
    if (typeof release.sums !== 'string') {
      const file = await present(at, release, name);
      const why = release.sums(await readFile(file));
      if (why === undefined) return await localFile(file);
      throw another(file, release, why);
    }
    const [list, own] = [join(at, release.sums), join(at, `${name}.sha256`)];
    const here = async () => (await sumInFile(list, name)) ?? (await sumInFile(own, name));
    const known = (await here()) ?? release.known;
    if (known === undefined)
      await once(own, () => ask(`${release.url}/${release.sums}`, own, list));
    const wanted = known ?? (await here());
    const file = await present(at, release, name);
    const sha256 = await sha256OfFile(file);
    if (sha256 === wanted) return { file, sha256 };
    throw another(file, release, `the SHA-256 is ${sha256}, expected ${wanted}`);
  };

  /** @param own path of the confirmed checksum */
  async function ask(url: string, own: string, list: string): Promise<void> {
    const name = basename(own, '.sha256');
    const fetched = `${list}.unconfirmed`;
    await get(deps, url, fetched, list);
    const sha256 = await sumInFile(fetched, name);
    await rm(fetched, { force: true });
    if (sha256 === undefined) {
      throw wrongFile(`${url} does not contain a checksum for ${name}; check the version`);
    }
    if (!(await confirm({ url, name, sha256 }))) {
      const why = 'the checksum comes from the same server as the file and has not been confirmed';
      throw wrongFile(
        `${name}: ${why}; obtain ${url} from an independent source and save it as ${list}`,
      );
    }
    await writeFile(own, `${sha256}  ${name}\n`);
  }

  function once(path: string, work: () => Promise<void>): Promise<void> {
    const running = underWay.get(path) ?? work().finally(() => underWay.delete(path));
    underWay.set(path, running);
    return running;
  }

  /** Path of the local file. */
  async function present(at: string, { url }: Release, name: string): Promise<string> {
    const path = join(at, name);
    if (!(await readStart(path))) await once(path, () => get(deps, `${url}/${name}`, path));
    return path;
  }
}

/** @param place where an operator may save it */
async function get(
  { fetch, signal }: Pick<DownloadDeps, 'fetch' | 'signal'>,
  url: string,
  path: string,
  place = path,
): Promise<void> {
  // As in the URL, because k3s versions contain a plus.
  const answer = await fetch(url.replaceAll('+', '%2B'), { signal }).catch((cause: unknown) => {
    signal.throwIfAborted();
    throw missing(url, place, errorText(cause));
  });
  if (!answer.ok || answer.body === null) throw missing(url, place, `status ${answer.status}`);
  await mkdir(dirname(path), { recursive: true });
  const draft = `${path}.partial`;
  try {
    await pipeline(Readable.fromWeb(answer.body), createWriteStream(draft), { signal });
    await rename(draft, path);
  } catch (cause) {
    await rm(draft, { force: true });
    signal.throwIfAborted();
    throw missing(url, place, errorText(cause));
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

function wrongFile(message: string): ComputerError {
  return new ComputerError(message, { code: 'FILE' });
}

function another(file: string, { url }: Release, why: string): ComputerError {
  return wrongFile(
    `${file} does not match the file at ${url}: ${why}; delete the local file and try again`,
  );
}

function missing(url: string, path: string, why: string): ComputerError {
  return wrongFile(
    `${url}: download failed (${why}); download it on another computer and save it as ${path}`,
  );
}

async function sumInFile(path: string, name: string): Promise<string | undefined> {
  return (await readStart(path)) ? sumIn(await readFile(path, 'utf8'), name) : undefined;
}

/** `HEX  NAME` or `HEX *NAME`, as sha256sum writes it. */
function sumIn(text: string, name: string): string | undefined {
  for (const line of text.split('\n')) {
    const [, sum, file] = /^([0-9a-f]{64}) [ *](.+?)\s*$/.exec(line) ?? [];
    if (file === name) return sum;
  }
  return undefined;
}

export async function localFile(file: string): Promise<LocalFile> {
  return { file, sha256: await sha256OfFile(file) };
}
