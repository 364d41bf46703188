/**
 * Downloads the bot, and decides when its zip is incomplete or too large: `GET SERVER/bot_code`, which redirects to a versioned address, or
 * returns the zip directly. Without the header X-Luci-Swarming-Bot-ID, a token that is only valid for bots is rejected.
 */
import type { FileHandle } from 'node:fs/promises';
import { NamedError, oneLine } from '@skolo/base';
import { type OpenAnswer, Unreachable, withAnswer } from '@skolo/base/request';

/** The real one has 1.3 MB. */
const mostBytes = 64 * 1024 * 1024;
const mostRedirects = 5;
const redirects = [301, 302, 303, 307, 308];

export interface DownloadOptions {
  server: string;
  botId: string;
  token: string;
  localAddress?: string | undefined;
  /** Time limit for the whole download. */
  timeoutMs: number;
  /** Time limit without a byte. */
  stallMs: number;
  signal: AbortSignal;
}

/** Each message is for people: the request, and its answer. */
class DownloadFailed extends NamedError {}

/**
 * Writes the answer to an open, empty file. Does not check whether it is a bot.
 *
 * @throws DownloadFailed, Unreachable
 * @throws System errors, if the file cannot be written; the signal's reason.
 */
export async function download(file: FileHandle, options: DownloadOptions): Promise<void> {
  const { server, botId, token } = options;
  const start = new URL(`${server.replace(/\/+$/, '')}/bot_code`);
  const until = performance.now() + options.timeoutMs;
  let url = start;
  for (let hop = 0; hop <= mostRedirects; hop++) {
    const credential = url.origin === start.origin && {
      authorization: `Bearer ${token}`,
      'x-luci-swarming-bot-id': botId,
    };
    const next = await ask(
      url,
      { ...options, timeoutMs: until - performance.now() },
      credential,
      file,
    );
    if (next === undefined) return;
    url = next;
  }
  throw new DownloadFailed(`${start.href}: more than ${mostRedirects} redirects`);
}

/** Fulfilled with the URL of a redirect. */
async function ask(
  url: URL,
  { localAddress, timeoutMs, stallMs, signal }: DownloadOptions,
  credential: Record<string, string> | false,
  file: FileHandle,
): Promise<URL | undefined> {
  const stalled = new AbortController();
  const late = new Unreachable(`${url.origin}: no data received for ${stallMs / 1000} s`);
  const timer = setTimeout(() => stalled.abort(late), stallMs);
  const either = AbortSignal.any([signal, stalled.signal]);
  const headers = { accept: '*/*', 'accept-encoding': 'identity', ...credential };
  try {
    return await withAnswer(
      url.href,
      { headers, timeoutMs: Math.max(1, timeoutMs), localAddress, signal: either, internet: true },
      async (answer) => {
        timer.refresh();
        if (redirects.includes(answer.status)) return nextUrl(url, answer);
        if (answer.status !== 200) throw new DownloadFailed(await rejection(url, answer));
        await save(url, answer, file, timer);
        return undefined;
      },
    );
  } catch (error) {
    throw error instanceof NotSaved ? error.cause : error;
  } finally {
    clearTimeout(timer);
  }
}

/** A disk error, which withAnswer would take for one of the server. */
class NotSaved extends Error {
  constructor(cause: unknown) {
    super('not saved', { cause });
  }
}

function nextUrl(url: URL, { status, headers }: OpenAnswer): URL {
  const { location } = headers;
  const next =
    location !== undefined && URL.canParse(location, url.href) ? new URL(location, url) : undefined;
  if (next === undefined || !/^https?:$/.test(next.protocol)) {
    throw new DownloadFailed(
      `${pathOf(url)} responded with ${status}, but without a usable Location header`,
    );
  }
  if (url.protocol === 'https:' && next.protocol === 'http:') {
    throw new DownloadFailed(`${pathOf(url)} redirects from https to http, which is not allowed`);
  }
  return next;
}

const hints: Record<number, string> = {
  401: "; check that this machine's account is registered on the server",
  403: "; check that this machine's account has access to the server",
};

async function rejection(url: URL, { status, message }: OpenAnswer): Promise<string> {
  const text = await startOf(message).catch(() => '');
  return `${pathOf(url)} responded with ${status}${text === '' ? '' : ` (${text})`}${hints[status] ?? ''}`;
}

async function startOf(message: AsyncIterable<Buffer | string>): Promise<string> {
  const most = 200;
  let text = '';
  for await (const piece of message) {
    text += piece.toString();
    if (text.length > most) break;
  }
  return oneLine(text.slice(0, most));
}

async function save(
  url: URL,
  { headers, message }: OpenAnswer,
  file: FileHandle,
  timer: NodeJS.Timeout,
) {
  const announced = headers['content-length'];
  const expected = announced === undefined ? undefined : Number(announced);
  if (expected !== undefined && expected > mostBytes) throw tooLarge(url);
  let length = 0;
  for await (const piece of message) {
    timer.refresh();
    const bytes = Buffer.from(piece);
    length += bytes.length;
    if (length > mostBytes) throw tooLarge(url);
    await file.writeFile(bytes).catch((error: unknown) => {
      throw new NotSaved(error);
    });
  }
  if (expected !== undefined && length !== expected) {
    throw new DownloadFailed(`${pathOf(url)} sent ${length} of ${expected} bytes`);
  }
}

function tooLarge(url: URL) {
  return new DownloadFailed(`${pathOf(url)} sent more than ${mostBytes} bytes`);
}

/** Its query may be a credential. */
function pathOf({ origin, pathname }: URL): string {
  return origin + pathname;
}
