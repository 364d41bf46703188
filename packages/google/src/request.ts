/** Sends one HTTP request for a token or key, with a limited response. */
import { bytesUpTo, parseJson } from '@skolo/base';
import { type Fetch, internetFetch } from '@skolo/base/internet';
import type { z } from 'zod';
import { rejectedBy, SignInError, unreachable } from './sign-in-error.ts';

/** Token responses are about 2 kB, and Google's keys 5 kB. */
const mostBytes = 256 * 1024;

/** `fetch` through the proxy of the environment, for responses of limited size. Redirects are errors. */
export const tokenFetch = limited(internetFetch);
/** The same, without a proxy. */
export const directFetch = limited(fetch);

/** For Google's library, too, which passes URLs. */
function limited(send: Fetch): typeof fetch {
  return async (input, init) => {
    if (typeof input === 'object' && !(input instanceof URL)) throw new TypeError('pass a URL');
    const response = await send(input, { ...init, redirect: 'error' });
    const bytes = await bytesUpTo(mostBytes, response.body ?? [], () => {
      return new SignInError('unexpected-answer', `the response exceeds ${mostBytes} bytes`);
    });
    return new Response(bytes.length === 0 ? null : new Uint8Array(bytes), response);
  };
}

interface Answer {
  ok: boolean;
  status: number;
  headers: Headers;
  text: string;
}

/** Throws `SignInError` without a response from `who`. */
export async function request(
  url: string,
  who: string,
  init: RequestInit,
  send = tokenFetch,
): Promise<Answer> {
  try {
    const response = await send(url, init);
    const { ok, status, headers } = response;
    return { ok, status, headers, text: await response.text() };
  } catch (error) {
    if (!(error instanceof SignInError)) throw unreachable(who, error);
    throw new SignInError(error.code, `${who}: ${error.message}`);
  }
}

/** Posts a form to an OAuth token endpoint (RFC 6749, sections 5.1 and 5.2). Throws `SignInError`. */
export async function postForm<T>(
  url: string,
  form: Record<string, string>,
  schema: z.ZodType<T>,
  signal: AbortSignal,
): Promise<T> {
  const { host } = new URL(url);
  const headers = { accept: 'application/json' };
  const body = new URLSearchParams(form);
  const answer = await request(url, host, { method: 'POST', body, headers, signal });
  const json = parseJson(answer.text);
  if (!answer.ok) throw rejectedBy(host, answer.status, json);
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const where = parsed.error.issues.map(
    ({ path, message }) => `${path.join('.') || 'body'}: ${message}`,
  );
  throw new SignInError(
    'unexpected-answer',
    `${host}: status ${answer.status}, but no token (${where.join('; ')})`,
  );
}
