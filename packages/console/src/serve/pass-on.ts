/** Forwards a page's request to a service and returns the response, even an endless one. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { whyFetchFailed } from '@skolo/api';
import { anotherRack, rackHeader } from '@skolo/api/rack-header';
import { gzipHeaders, gzipTo, HttpProblem, isWorthGzip } from '@skolo/common/light';

/** Request headers, in addition to the given ones. */
const passedOn = ['accept', 'content-type', 'idempotency-key', 'last-event-id'];
/** Response headers. Others concern the connection to us, or the sign-in to another service. */
const passedBack = [
  ...['content-type', 'last-modified', 'retry-after', 'allow'],
  ...['x-request-id', 'x-skolo-version', 'x-skolo-sha1'],
];
const answersWithinMs = 30_000;
/** A response is data, even if a browser navigates to its address. */
const headersOfAnswers = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; sandbox",
  'x-content-type-options': 'nosniff',
};

interface PassOnOptions {
  /** Name of the service, for errors. */
  name: string;
  url: string;
  /** The service's rack. */
  rack: string;
  /** Additional headers for the service. */
  headers: Readonly<Record<string, string | undefined>>;
}

/**
 * @throws HttpProblem 404: a URL parser changes its path (`..`, `\`), so that it differs from the checked one. 503: the service does not
 * respond. 502: another rack's service responds.
 */
export async function passOn(
  request: IncomingMessage,
  response: ServerResponse,
  { name, url, rack, headers }: PassOnOptions,
): Promise<void> {
  const [, path = ''] = /^https?:\/\/[^/]+([^?]*)/.exec(url) ?? [];
  if (URL.parse(url)?.pathname !== path) {
    throw new HttpProblem(
      404,
      `${path}: page not found; the path must not contain . or .. segments or backslashes`,
    );
  }
  const hungUp = new AbortController();
  response.once('close', () => hungUp.abort());
  const late = setTimeout(
    () => hungUp.abort(new Error('the rack did not respond in time')),
    answersWithinMs,
  );
  const { method = 'GET' } = request;
  const hasBody = request.headers['content-type'] !== undefined;
  const answer = await fetch(url, {
    method,
    headers: headersFor(request, { ...headers, [rackHeader]: rack }),
    ...(hasBody && { body: Readable.toWeb(request), duplex: 'half' }),
    redirect: 'manual',
    signal: hungUp.signal,
  })
    .catch((cause: unknown) => {
      // Leaving a page ends its requests.
      if (response.destroyed) return undefined;
      throw new HttpProblem(503, `${name} is not responding: ${whyFetchFailed(cause)}`, { cause });
    })
    .finally(() => clearTimeout(late));
  if (answer === undefined) return;
  const misdirected = anotherRack(answer.headers.get(rackHeader), rack);
  if (misdirected !== undefined) {
    await answer.body?.cancel();
    throw new HttpProblem(502, `${name}: ${misdirected}`);
  }
  for (const header of passedBack) {
    const value = answer.headers.get(header);
    if (value !== null) response.setHeader(header, value);
  }
  // `fetch` has decompressed it. A stream has no length.
  const isJson = answer.headers.get('content-type')?.includes('json') ?? false;
  const bytes = Number(answer.headers.get('content-length'));
  const isPacked = isJson && isWorthGzip(request, bytes);
  response.writeHead(answer.status, { ...headersOfAnswers, ...(isPacked && gzipHeaders) });
  response.flushHeaders();
  if (answer.body === null) response.end();
  // A broken stream ends the response, and the page reconnects.
  else {
    const to = isPacked ? gzipTo(response) : response;
    await pipeline(Readable.fromWeb(answer.body), to).catch(() => response.destroy());
  }
}

function headersFor(request: IncomingMessage, own: PassOnOptions['headers']) {
  const passed = passedOn.map((name) => [name, request.headers[name]]);
  return Object.fromEntries(
    [...passed, ...Object.entries(own)].filter(([, value]) => typeof value === 'string'),
  );
}
