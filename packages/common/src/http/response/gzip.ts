/**
 * Decides which responses are compressed, for browsers with slow connections. The size of a compressed response reveals its content
 * (BREACH, CVE-2013-3587) if it contains a secret next to an attacker's text. Therefore it is used only by services whose larger
 * responses contain no secrets; a session is a cookie, which is a header.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { constants, createGzip, type Gzip, gzip as gzipBuffer } from 'node:zlib';

/** A smaller response takes only a few packets. */
const leastBytes = 4096;
/** Higher levels save a tenth of JSON and take twice the time. */
const level = 1;

export function acceptsGzip({ headers }: IncomingMessage): boolean {
  return /\bgzip\b/.test(headers['accept-encoding']?.toString() ?? '');
}

export const gzipHeaders = { 'content-encoding': 'gzip', vary: 'accept-encoding' };

export function isWorthGzip(request: IncomingMessage, bytes: number): boolean {
  return bytes >= leastBytes && acceptsGzip(request);
}

export function gzipped(text: string): Promise<Buffer> {
  return promisify(gzipBuffer)(text, { level });
}

/** In front of a response. With `eachWrite` nothing waits in it; its memory is 48 kB then. */
export function gzipTo(response: ServerResponse, { eachWrite = false } = {}): Gzip {
  const small = { windowBits: 13, memLevel: 5, flush: constants.Z_SYNC_FLUSH };
  const stream = createGzip({ level, ...(eachWrite && small) });
  // As that of a response, which an event may still be written to when it has ended.
  stream.on('error', () => response.destroy());
  stream.pipe(response);
  response.once('close', () => stream.destroy());
  return stream;
}
