/**
 * Downloads a large file over HTTP, with retries until it gives up. Partial files stay, so that an interrupted download continues where
 * it stopped.
 */

import { open, rm, stat } from 'node:fs/promises';
import { errorText, isDiskFull, parseJson, pause } from '@skolo/base';
import { readFileIfExists, writeFileAtomic } from '@skolo/base/durable/atomic-file';
import type { Fetch } from '@skolo/base/internet';
import { z } from 'zod';
import { PiError } from '../errors.ts';

export interface DownloadDeps {
  fetch: Fetch;
  signal: AbortSignal;
  /** Downloaded bytes, and the total if the server reports it. */
  progress(done: number, total: number | undefined): void;
  /** Time without data after which the connection counts as dead, in milliseconds; default 30 s. */
  idleMs?: number;
  /** Pause between two attempts, in milliseconds; default 2 s. */
  pauseMs?: number;
}

/** What a file is a part of. */
const Part = z.strictObject({ url: z.string(), validator: z.string() });

/** Maximum number of attempts without a new byte. */
const mostTries = 5;

/** Downloads it completely to a file, which may already contain a part of it. @throws PiError */
export async function download(url: string, path: string, deps: DownloadDeps): Promise<void> {
  const { signal, pauseMs = 2000 } = deps;
  for (let tries = 0, before = await sizeOf(path); ; ) {
    const why = await attempt(url, path, deps);
    if (why === undefined) return;
    signal.throwIfAborted();
    const now = await sizeOf(path);
    tries = now > before ? 1 : tries + 1;
    before = now;
    if (tries >= mostTries || !why.mayRetry) {
      const isPart = now > 0 && (await validatorOf(url, path)) !== undefined;
      const next = isPart
        ? `run the command again to resume the download after ${now} bytes`
        : 'check the URL and try again';
      throw new PiError(`${url}: ${why.text}; ${next}`);
    }
    await pause(pauseMs, signal);
  }
}

interface Failure {
  text: string;
  mayRetry: boolean;
}

/** Undefined: it is complete. */
async function attempt(
  url: string,
  path: string,
  { fetch, signal, progress, idleMs = 30_000 }: DownloadDeps,
): Promise<Failure | undefined> {
  const idle = new AbortController();
  const limit = AbortSignal.any([signal, idle.signal]);
  const timer = setTimeout(
    () => idle.abort(new Error(`no data received for ${idleMs / 1000} s`)),
    idleMs,
  );
  try {
    const validator = await validatorOf(url, path);
    const have = validator === undefined ? 0 : await sizeOf(path);
    const headers = {
      // The bytes of a compressed response are not those of the file.
      'accept-encoding': 'identity',
      ...(have > 0 && validator && { range: `bytes=${have}-`, 'if-range': validator }),
    };
    const response = await fetch(url, { headers, signal: limit });
    // The file is already complete.
    if (response.status === 416 && have > 0) return undefined;
    if (!response.ok || response.body === null) {
      await response.body?.cancel();
      const mayRetry = response.status >= 500 || response.status === 429;
      return { text: `the server returned ${response.status}`, mayRetry };
    }
    const from = response.status === 206 ? have : 0;
    const length = Number(response.headers.get('content-length') ?? Number.NaN);
    const total = Number.isFinite(length) ? from + length : undefined;
    await rememberValidator(url, path, response.headers);
    await using file = await open(path, from > 0 ? 'r+' : 'w');
    let done = from;
    progress(done, total);
    for await (const bytes of response.body) {
      timer.refresh();
      await file.write(bytes, 0, bytes.length, done);
      done += bytes.length;
      progress(done, total);
    }
    await file.sync();
    if (total !== undefined && done < total)
      return { text: 'the connection was closed', mayRetry: true };
    return undefined;
  } catch (error) {
    signal.throwIfAborted();
    if (isDiskFull(error)) throw error;
    const cause = idle.signal.aborted ? idle.signal.reason : error;
    return { text: errorText(cause), mayRetry: true };
  } finally {
    clearTimeout(timer);
  }
}

const partFile = (path: string) => `${path}.json`;

/** Validator of the version of the local part. Without one, it is unknown whether the rest belongs to it. */
async function validatorOf(url: string, path: string): Promise<string | undefined> {
  const text = await readFileIfExists(partFile(path));
  const part = Part.safeParse(parseJson(text ?? '')).data;
  return part?.url === url ? part.validator : undefined;
}

async function rememberValidator(url: string, path: string, headers: Headers): Promise<void> {
  const tag = headers.get('etag');
  // A weak one may stand for different bytes (RFC 9110, 13.1.5).
  const strong = tag?.startsWith('W/') ? undefined : tag;
  const validator = strong ?? headers.get('last-modified') ?? '';
  await writeFileAtomic(partFile(path), JSON.stringify(validator === '' ? {} : { url, validator }));
}

async function sizeOf(path: string): Promise<number> {
  return await stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}

/** With what is known of it. */
export async function removeDownload(path: string): Promise<void> {
  for (const each of [path, partFile(path)]) await rm(each, { force: true });
}
