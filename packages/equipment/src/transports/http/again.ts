/**
 * Decides when an HTTP request is sent again in another form: with a slash at the end of its path, or with the version (`ETag`) of what
 * it changes.
 */
import { isIPv6 } from 'node:net';
import type { Exchange, HttpRequest, RawAnswer } from './exchange.ts';

type Send = (request: HttpRequest) => Promise<RawAnswer>;

/** @param send signs in */
export async function inItsForm(
  exchange: Exchange,
  request: HttpRequest,
  send: Send,
): Promise<RawAnswer> {
  const answer = await send(request);
  const path = withSlash(exchange, request, answer);
  if (path === undefined) return await withVersion(request, answer, send);
  const slashed = { ...request, path };
  return await withVersion(slashed, await send(slashed), send);
}

/**
 * The request's own path plus a slash, if that is where the device redirects it. Undefined for a command that clients would repeat as a
 * GET, which reads instead of switching (301, 302; RFC 9110, 15.4), and which the device may have carried out.
 */
function withSlash(
  { https, address, port }: Exchange,
  { method = 'GET', path }: HttpRequest,
  { status, headers: { location = '' } }: RawAnswer,
): string | undefined {
  const keepsMethod = [307, 308, ...(method === 'GET' ? [301, 302] : [])];
  if (!keepsMethod.includes(status)) return undefined;
  const [, plain = '', query = ''] = /^([^?]*)(.*)$/s.exec(path) ?? [];
  const host = isIPv6(address) ? `[${address}]` : address;
  const base = `${https ? 'https' : 'http'}://${host}:${port}`;
  const wanted = URL.parse(`${plain}/`, base);
  const given = URL.parse(location, URL.parse(path, base)?.href);
  if (wanted?.origin !== given?.origin || wanted?.pathname !== given?.pathname) return undefined;
  return `${plain}/${query}`;
}

/**
 * Repeats a change that the device accepts only with the version of what it changes (428, or 412 without one; RFC 6585, 3). Devices differ
 * in what they compare: the tag as they send it, without its `W/` or with single quotes, or any (ansible pull 56150; community.general pulls
 * 3268, 6434).
 */
async function withVersion(
  request: HttpRequest,
  refusal: RawAnswer,
  send: Send,
): Promise<RawAnswer> {
  // With its session.
  const { method = 'GET', body: _, ...reading } = request;
  const isRefused = ({ status }: RawAnswer) => status === 412 || status === 428;
  if (method === 'GET' || !isRefused(refusal)) return refusal;
  const { etag = '' } = (await send(reading)).headers;
  const strong = etag.replace(/^W\//, '').replaceAll(/^"+|(?<!")"+$/g, '"');
  let answer = refusal;
  for (const version of new Set([etag, strong, '*'])) {
    if (version === '' || !isRefused(answer)) continue;
    answer = await send({ ...request, headers: { ...reading.headers, 'if-match': version } });
  }
  return answer;
}
