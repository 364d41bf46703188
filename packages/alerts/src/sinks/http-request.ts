/**
 * One request of a sink or webhook, with the settings that both share in rack.yaml.
 *
 * - Redirects are not followed: tokens and messages are only for the host in rack.yaml.
 * - Errors name only the host: webhook paths are usually secret.
 * - If the URL, a header or the body contains `{{token}}`, the token is inserted there and not sent as a bearer token.
 */
import { errorCode, errorText, withDeadline } from '@skolo/base';
import { internetFetch, throughProxy } from '@skolo/base/internet';
import { isSafeForSecrets, type Secret, SecretError } from '@skolo/base/secrets';
import { type Responses, templateFormat } from '@skolo/rack';
import { SinkError, type SinkReason } from '../sink.ts';
import { hintOf, responseReader } from './response.ts';
import { parseTemplate } from './template.ts';

export {
  type BackOff,
  type BackOffTimes,
  createBackOff,
  doubtTimes,
  mostDoubts,
} from './back-off.ts';
export { SinkError, type SinkReason };

export interface HttpRequestOptions {
  /** For errors. */
  name: string;
  /** A template. */
  url: string;
  method: 'POST' | 'PUT';
  headers: Record<string, string>;
  /** Read for each request, so that it may change. @throws SecretError */
  token?: (() => Promise<Secret>) | undefined;
  /** The value of `{{to}}`. */
  to?: string | undefined;
  /** See {@link parseTemplate}; the default is the message's usual body. */
  body?: string | undefined;
  /** For messages whose `action` is `resolve`: appended to `url`, and instead of `body`. */
  resolved?: { path: string; body: string } | undefined;
  /** Patterns of `STATUS TEXT`, by their meaning. */
  responses?: Responses | undefined;
  timeoutSeconds: number;
}

interface Outgoing {
  /** Sent as `idempotency-key`, the same for each attempt to send the message. */
  id: string;
  /** Values that a template can use. */
  values: Readonly<Record<string, unknown>>;
  /** JSON, used if rack.yaml has no template. */
  usualBody(): string;
}

/** Resolves when the receiver has accepted the message. @throws SinkError */
type SendRequest = (outgoing: Outgoing, signal: AbortSignal) => Promise<void>;

/** What happened to a request until its end or an error. */
interface Read {
  answer?: Response;
  text: string;
  mayHaveArrived: boolean;
  error?: unknown;
}

const tokenPlace = /\{\{\s*token\s*\}\}/g;

/** Maximum characters of a response to read, and to include in the error. */
const mostRead = 2 ** 20;
const mostShown = 200;

export function createHttpRequest(options: HttpRequestOptions): SendRequest {
  const { name, url, method, headers: given, to, body: usual, resolved } = options;
  const { host } = new URL(url);
  const type =
    usual !== undefined && templateFormat(usual, given) === 'text'
      ? 'text/plain'
      : 'application/json';
  const parsed = (url: string, body = usual) => ({
    url: parseTemplate(url, 'url'),
    body: body === undefined ? undefined : parseTemplate(body, templateFormat(body, given)),
  });
  const sent = parsed(url);
  const sentIfResolved = resolved && parsed(url + resolved.path, resolved.body);
  const isPlaced =
    [sent, sentIfResolved].some((each) => each?.url.uses('token') || each?.body?.uses('token')) ||
    Object.values(given).some((text) => text.search(tokenPlace) !== -1);
  const meaningOf = responseReader(options.responses ?? {});

  return async function request({ id, values: ofMessage, usualBody }, signal) {
    const token = await tokenFor(name, url, options.token);
    const headers = new Headers({ 'content-type': type });
    for (const [header, value] of Object.entries(given)) {
      headers.set(
        header,
        value.replaceAll(tokenPlace, () => token ?? ''),
      );
    }
    headers.set('idempotency-key', id);
    if (token !== undefined && !isPlaced) headers.set('authorization', `Bearer ${token}`);
    const values = { ...ofMessage, token, to };
    const templates = (ofMessage.action === 'resolve' && sentIfResolved) || sent;
    const target = new URL(templates.url.render(values));
    const body = templates.body?.render(values) ?? usualBody();
    const what = `${name} (${host})`;
    const read: Read = { text: '', mayHaveArrived: false };
    const onSent = () => {
      read.mayHaveArrived = true;
    };
    const late = () =>
      new SinkError(
        'timeout',
        'TIMEOUT',
        `${what}${throughProxy(target)}: no response within ${options.timeoutSeconds} s`,
        { mayHaveArrived: read.mayHaveArrived },
      );
    try {
      await withDeadline({ ms: options.timeoutSeconds * 1000, late, signal }, async (signal) => {
        const asked = { method, headers, body, redirect: 'manual', signal, onSent } as const;
        read.answer = await internetFetch(target, asked);
        for await (const part of textOf(read.answer)) read.text += part;
      });
    } catch (error) {
      read.error = error;
    }
    // What was read until an error is judged like a whole response.
    const { answer, text } = read;
    if (answer === undefined) throw noAnswer(what, read, signal.aborted);
    const meaning = meaningOf(answer.status, text);
    if (meaning === 'accepted') return;
    const secrets = [...secretsOf(target), ...(token === undefined ? [] : [token])];
    throw failure(what, meaning, answer, shown(text, secrets));
  };
}

async function tokenFor(
  name: string,
  url: string,
  token: HttpRequestOptions['token'],
): Promise<string | undefined> {
  if (token === undefined) return undefined;
  if (!isSafeForSecrets(new URL(url))) {
    throw new SinkError(
      'credentials',
      'UNSAFE_URL',
      `${name}: the token would be sent unencrypted; use an https URL`,
    );
  }
  try {
    return (await token()).reveal();
  } catch (error) {
    if (!(error instanceof SecretError)) throw error;
    throw new SinkError('credentials', error.code, `${name}: token: ${error.message}`);
  }
}

function failure(
  what: string,
  meaning: SinkReason | 'unclear',
  { status, headers }: Response,
  text: string,
): SinkError {
  const reason = meaning === 'unclear' ? 'unavailable' : meaning;
  const answer = text === '' ? '' : `: ${text}`;
  const isRedirect = status >= 300 && status < 400;
  const hint = isRedirect ? 'redirects are not followed; fix the URL' : hintOf(reason);
  const seconds = secondsToWait(headers);
  return new SinkError(
    reason,
    String(status),
    `${what} responds with ${status}${answer}; ${hint}`,
    {
      ...(seconds >= 0 && { retryAfterSeconds: seconds }),
      mayHaveArrived: meaning === 'unclear',
    },
  );
}

/** `Retry-After` in seconds or as a date by the receiver's own clock (RFC 9110, section 10.2.3). NaN: there is none. */
function secondsToWait(headers: Headers): number {
  const text = headers.get('retry-after') ?? '';
  // A date has a time. A header that was sent twice is a list: `30, 30`.
  if (!text.includes(':')) return Number.parseFloat(text);
  const now = Date.parse(headers.get('date') ?? '') || Date.now();
  return (Date.parse(text) - now) / 1000;
}

/** The secret parts of a URL, in the forms in which responses quote it. */
function secretsOf({ pathname, search, searchParams }: URL): string[] {
  const decoded = decodeURIComponent(pathname.replaceAll(/%(?![\da-f]{2})/gi, '%25'));
  const parts = [pathname, decoded, search.slice(1), ...searchParams.values()];
  return parts.filter(({ length }) => length > 2);
}

async function* textOf(answer: Response): AsyncGenerator<string> {
  let left = mostRead;
  const decoder = new TextDecoder();
  for await (const chunk of answer.body ?? []) {
    const text = decoder.decode(chunk, { stream: true });
    yield text.slice(0, left);
    left -= text.length;
    if (left <= 0) return;
  }
}

/** The beginning of a response, without secrets. It may be printed to a terminal. */
function shown(text: string, secrets: readonly string[]): string {
  let shown = text;
  for (const secret of secrets.toSorted((a, b) => b.length - a.length)) {
    shown = shown.replaceAll(secret, '<secret>');
  }
  // The text may be cut off inside one.
  const longest = Math.max(0, ...secrets.map(({ length }) => length));
  if (text.length === mostRead) shown = shown.slice(0, Math.max(0, shown.length - longest));
  return shown
    .replaceAll(/[\p{Cc}\s]+/gu, ' ')
    .trim()
    .slice(0, mostShown);
}

function noAnswer(what: string, { error, mayHaveArrived }: Read, isEnding: boolean): SinkError {
  if (isEnding) {
    const text = `${what}: the request was cancelled before a response arrived`;
    return new SinkError('unavailable', 'ABORTED', text, { mayHaveArrived });
  }
  if (error instanceof SinkError) return error;
  // Node wraps the error in `fetch failed`.
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = errorCode(cause) ?? 'UNKNOWN';
  const how = mayHaveArrived ? 'does not respond' : 'cannot be reached';
  return new SinkError('unavailable', code, `${what} ${how}: ${errorText(cause)}`, {
    mayHaveArrived,
  });
}
