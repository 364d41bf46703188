/**
 * One request of a sink or webhook, with the settings that both share in rack.yaml.
 *
 * - Redirects are not followed: tokens and messages are only for the host in rack.yaml.
 * - Errors name only the host: webhook paths are usually secret.
 * - If the URL, a header or the body contains `{{token}}`, the token is inserted there and not sent as a bearer token.
 */
import { errorCode, errorText, withDeadline } from '@skolo/base';
import { isSafeForSecrets, type Secret, SecretError } from '@skolo/secrets';
import { SinkError, type SinkReason } from '../sink.ts';
import { parseTemplate } from './template.ts';

export { SinkError, type SinkReason };

export interface HttpRequestOptions {
  /** For errors. */
  name: string;
  url: string;
  method: 'POST' | 'PUT';
  headers: Record<string, string>;
  /** Read for each request, so that it may change. @throws SecretError */
  token?: (() => Promise<Secret>) | undefined;
  /** See {@link parseTemplate}; the default is the message's usual body. */
  body?: string | undefined;
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

/** Resolves when the receiver has responded with 2xx. @throws SinkError */
type SendRequest = (outgoing: Outgoing, signal: AbortSignal) => Promise<void>;

const tokenPlace = /\{\{\s*token\s*\}\}/g;

/** Maximum characters of a response to read and include in the error. */
const mostRead = 2000;
const mostShown = 200;

export function createHttpRequest(options: HttpRequestOptions): SendRequest {
  const { name, url, method } = options;
  const { host } = new URL(url);
  const isPlaced = [url, options.body ?? '', ...Object.values(options.headers)].some(
    (text) => text.search(tokenPlace) !== -1,
  );
  const given = new Headers(options.headers);
  const type = given.get('content-type');
  const template =
    options.body === undefined
      ? undefined
      : parseTemplate(options.body, type === null ? undefined : /json/i.test(type));
  if (type === null) {
    given.set('content-type', template?.isJson === false ? 'text/plain' : 'application/json');
  }

  return async function request({ id, values, usualBody }, signal) {
    const token = await tokenFor(name, url, options.token);
    const headers = new Headers(given);
    for (const [header, value] of given) {
      headers.set(
        header,
        value.replaceAll(tokenPlace, () => token ?? ''),
      );
    }
    headers.set('idempotency-key', id);
    if (token !== undefined && !isPlaced) headers.set('authorization', `Bearer ${token}`);
    const target = new URL(url.replaceAll(tokenPlace, () => encodeURI(token ?? '')));
    const body = template?.render({ ...values, token }) ?? usualBody();
    const what = `${name} (${host})`;
    const late = () =>
      new SinkError(
        'timeout',
        'TIMEOUT',
        `${what}: no response within ${options.timeoutSeconds} s`,
      );
    try {
      await withDeadline({ ms: options.timeoutSeconds * 1000, late, signal }, async (signal) => {
        const answer = await fetch(target, { method, headers, body, redirect: 'manual', signal });
        if (answer.ok) return void (await answer.body?.cancel());
        const secrets = [...secretsOf(target), ...(token === undefined ? [] : [token])];
        throw rejection(what, answer, await textOf(answer, secrets));
      });
    } catch (error) {
      if (signal.aborted) {
        throw new SinkError(
          'unavailable',
          'ABORTED',
          `${what}: the request was cancelled before a response arrived`,
        );
      }
      throw error instanceof SinkError ? error : unreachable(what, error);
    }
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

const kinds: Record<number, { reason: SinkReason; hint: string }> = {
  401: { reason: 'credentials', hint: 'fix the token' },
  403: { reason: 'permission', hint: 'grant the required permission to the token' },
  404: { reason: 'topic', hint: 'fix the URL' },
  405: { reason: 'topic', hint: 'fix the URL or method' },
  408: { reason: 'timeout', hint: 'skolo retries the request' },
  410: { reason: 'topic', hint: 'fix the URL' },
  421: { reason: 'topic', hint: 'fix the URL' },
  425: { reason: 'quota', hint: 'skolo retries the request' },
  429: { reason: 'quota', hint: 'skolo retries the request' },
};

function rejection(what: string, { status, headers }: Response, text: string): SinkError {
  const { reason, hint } = kinds[status] ?? kindOf(status);
  const answer = text === '' ? '' : `: ${text}`;
  const seconds = Number(headers.get('retry-after') ?? Number.NaN);
  return new SinkError(
    reason,
    String(status),
    `${what} responds with ${status}${answer}; ${hint}`,
    {
      ...(seconds >= 0 && { retryAfterSeconds: seconds }),
    },
  );
}

function kindOf(status: number): { reason: SinkReason; hint: string } {
  if (status >= 500) return { reason: 'unavailable', hint: 'skolo retries the request' };
  if (status >= 400) return { reason: 'rejected', hint: 'fix the body, method or headers' };
  return {
    reason: 'topic',
    hint: 'redirects are not followed; fix the URL',
  };
}

/** The secret parts of a URL, in the forms in which responses quote it. */
function secretsOf({ pathname, search, searchParams }: URL): string[] {
  const decoded = decodeURIComponent(pathname.replaceAll(/%(?![\da-f]{2})/gi, '%25'));
  const parts = [pathname, decoded, search.slice(1), ...searchParams.values()];
  return parts.filter(({ length }) => length > 2);
}

async function textOf(answer: Response, secrets: readonly string[]): Promise<string> {
  const longest = Math.max(0, ...secrets.map(({ length }) => length));
  let text = '';
  let isCut = false;
  const decoder = new TextDecoder();
  for await (const chunk of answer.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    isCut = text.length >= mostRead + longest;
    if (isCut) break;
  }
  for (const secret of secrets.toSorted((a, b) => b.length - a.length)) {
    text = text.replaceAll(secret, '<secret>');
  }
  // The text may be cut off inside one.
  if (isCut) text = text.slice(0, text.length - longest);
  // The text may be printed to a terminal.
  return text
    .replaceAll(/[\p{Cc}\s]+/gu, ' ')
    .trim()
    .slice(0, mostShown);
}

function unreachable(what: string, error: unknown): SinkError {
  // Node wraps the error in `fetch failed`.
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = errorCode(cause) ?? 'UNKNOWN';
  const why = errorText(cause);
  return new SinkError('unavailable', code, `${what} cannot be reached: ${why}`);
}
