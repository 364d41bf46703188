/** One HTTP request for a token or key, with a limited response size. */
import { bytesUpTo, parseJson } from '@skolo/base';
import type { z } from 'zod';
import { rejectedBy, SignInError, unreachable } from './sign-in-error.ts';

/** Token responses are about 2 kB, and Google's keys 5 kB. */
const mostBytes = 256 * 1024;

interface Answer {
  ok: boolean;
  status: number;
  headers: Headers;
  text: string;
}

/** Throws `SignInError` without a response from `who`. */
export async function request(url: string, who: string, init: RequestInit): Promise<Answer> {
  try {
    const response = await fetch(url, { ...init, redirect: 'error' });
    const bytes = await bytesUpTo(mostBytes, response.body ?? [], () => {
      const what = `${who}: response exceeds ${mostBytes} bytes`;
      return new SignInError('unexpected-answer', what);
    });
    const { ok, status, headers } = response;
    return { ok, status, headers, text: bytes.toString() };
  } catch (error) {
    throw error instanceof SignInError ? error : unreachable(who, error);
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
