/** One POST to an OAuth token endpoint, and what it may answer (RFC 6749, sections 5.1 and 5.2). */
import type { z } from 'zod';
import { refusedBy, unreachable } from './refusal.ts';
import { UpstreamError } from './source.ts';

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
    throw unreachable(host, error);
  }
  const json = parseJson(body);
  if (!response.ok) throw refusedBy(host, response.status, json);
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
