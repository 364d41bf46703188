/** One POST to an OAuth token endpoint, and what it may answer (RFC 6749, sections 5.1 and 5.2). */
import { z } from 'zod';
import { UpstreamError } from './source.ts';

const Refusal = z.looseObject({ error: z.string(), error_description: z.string().optional() });

/** Token answers are about 2 kB; whatever is larger is not one. */
const largestAnswer = 64 * 1024;

/**
 * Posts a form and parses the answer. Throws `UpstreamError`: `unreachable` (no answer, 5xx, 429),
 * `refused` (4xx) or `unexpected-answer`.
 */
export async function postForm<T>(
  url: string,
  form: Record<string, string>,
  answer: z.ZodType<T>,
  signal: AbortSignal,
): Promise<T> {
  const host = new URL(url).host;
  let response: Response;
  let body: string;
  try {
    response = await fetch(url, {
      method: 'POST',
      body: new URLSearchParams(form),
      headers: { accept: 'application/json' },
      redirect: 'error',
      signal,
    });
    body = await readLimited(response);
  } catch (error) {
    if (error instanceof UpstreamError) throw error;
    throw new UpstreamError('unreachable', `${host}: ${reason(error)}`, { cause: error });
  }
  const json = parseJson(body);
  if (!response.ok) {
    const code = response.status >= 500 || response.status === 429 ? 'unreachable' : 'refused';
    throw new UpstreamError(code, `${host}: ${response.status} ${refusal(json)}`.trimEnd());
  }
  const parsed = answer.safeParse(json);
  if (parsed.success) return parsed.data;
  const where = parsed.error.issues.map(
    ({ path, message }) => `${path.join('.') || 'body'}: ${message}`,
  );
  throw new UpstreamError('unexpected-answer', `${host}: not a token answer (${where.join('; ')})`);
}

async function readLimited(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let body = '';
  for await (const chunk of response.body ?? []) {
    body += decoder.decode(chunk, { stream: true });
    if (body.length > largestAnswer) {
      throw new UpstreamError(
        'unexpected-answer',
        `${new URL(response.url).host}: answer is too large`,
      );
    }
  }
  return body;
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

/** Upstream's own words, without anything that could be a token or an assertion. */
function refusal(json: unknown): string {
  const parsed = Refusal.safeParse(json);
  if (!parsed.success) return '';
  const { error, error_description: description } = parsed.data;
  return withoutTokens(description ? `${error}: ${description}` : error).slice(0, 300);
}

/** Replaces whatever is long and unbroken enough to be a token, an assertion or a key. */
export function withoutTokens(message: string): string {
  return message.replace(/[\w\-+/=.~]{40,}/g, '<secret>');
}

/** The deepest cause in words: `connect ECONNREFUSED 127.0.0.1:9`, `getaddrinfo ENOTFOUND …`. */
export function reason(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error';
  if (error.name === 'TimeoutError') return 'no answer in time';
  if (error.cause instanceof Error) return reason(error.cause);
  return withoutTokens(error.message);
}
