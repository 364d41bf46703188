/** Writes responses as Google's server does: headers, error pages, redirects (captured 2018 to 2025). */
import type { ServerResponse } from 'node:http';
import { STATUS_CODES } from '@skolo/base/http';

type ContentType = 'application/text' | 'application/json' | 'text/html; charset=UTF-8';

export interface Answer {
  status: number;
  contentType: ContentType;
  body: string;
  /** More headers, alternating name and value. */
  headers?: readonly string[];
}

/** On every answer, errors included: clients reject one without the flavor. */
const always = {
  'Metadata-Flavor': 'Google',
  Server: 'Metadata Server for VM',
  'X-XSS-Protection': '0',
  'X-Frame-Options': 'SAMEORIGIN',
};
const alwaysInTurn = Object.entries(always).flat();

/** Writes an answer. Node omits the body if the method is HEAD. */
export function send(
  response: ServerResponse,
  { status, contentType, body, headers = [] }: Answer,
): void {
  const length = String(Buffer.byteLength(body));
  response.writeHead(status, [
    ...alwaysInTurn,
    'Content-Type',
    contentType,
    'Content-Length',
    length,
    ...headers,
  ]);
  response.end(body);
}

/** An HTML page, as Google's server sends for 403 and 404. `why` is for readers with curl. */
export function errorPage(status: number, why: string, headers: readonly string[] = []): Answer {
  const title = `Error ${status} (${STATUS_CODES[status]})!!1`;
  const body = `<!DOCTYPE html>
<html lang=en>
  <meta charset=utf-8>
  <title>${title}</title>
  <p><b>${status}.</b> ${escapeHtml(why)}
`;
  return { status, contentType: 'text/html; charset=UTF-8', body, headers };
}

/** The same for what Node rejects before it becomes a request: oversized headers, bytes that are not HTTP. */
export function malformedPage({ status, detail }: { status: number; detail: string }) {
  const { contentType, body } = errorPage(status, detail);
  return { headers: { ...always, 'Content-Type': contentType }, body };
}

/** The two errors that Google's server sends as plain text, and that clients compare. */
export function bareError(status: number, message: string): Answer {
  return { status, contentType: 'text/html; charset=UTF-8', body: message };
}

/** A directory was requested without its slash. The query is kept. */
export function redirectToDirectory(
  host: string | undefined,
  path: string,
  search: string,
): Answer {
  const location = `${host ? `http://${host}` : ''}${path}/${search}`;
  return {
    status: 301,
    contentType: 'text/html; charset=UTF-8',
    body: `${path}/\n`,
    headers: ['Location', location],
  };
}

export function retryAfter(seconds: number): readonly string[] {
  return ['Retry-After', String(Math.max(1, Math.ceil(seconds)))];
}

function escapeHtml(text: string): string {
  const entities: Record<string, string> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
  };
  return text.replace(/[&<>"]/g, (character) => entities[character] ?? character);
}
