/** Answers as Google's server gives them: headers, error pages, redirects (captured 2018 to 2025). */
import type { ServerResponse } from 'node:http';
import { STATUS_CODES } from '@skolo/base/http';

type ContentType = 'application/text' | 'application/json' | 'text/html; charset=UTF-8';

export interface Answer {
  status: number;
  contentType: ContentType;
  body: string;
  /** More headers, name and value in turn. */
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

/** Writes an answer. Node leaves the body out where the method is HEAD. */
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

/** An HTML page, as Google's server sends for 403 and 404. `why` is for whoever reads it with curl. */
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

/** The same for what Node rejects before it is a request: headers that are too large, bytes that are no HTTP. */
export function malformedPage({ status, detail }: { status: number; detail: string }) {
  const { contentType, body } = errorPage(status, detail);
  return { headers: { ...always, 'Content-Type': contentType }, body };
}

/** The two errors whose text Google's server sends bare, and which clients compare. */
export function bareError(status: number, message: string): Answer {
  return { status, contentType: 'text/html; charset=UTF-8', body: message };
}

/** A directory was asked for without its slash. The query survives. */
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
