/** Reads a request's body: plain or gzip, within its own limit and one for all bodies that are being read. */
import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { createGunzip, type Gunzip } from 'node:zlib';
import { Rejection } from './rejection.ts';

/** Memory used by all requests together. */
export class BodiesInFlight {
  private taken = 0;

  /** Keeps what it reserves until it is released. */
  share(most: number): Share {
    let own = 0;
    return {
      take: (bytes) => {
        // A single body is bounded by its own limit.
        if (this.taken > own && this.taken + bytes > most) return false;
        this.taken += bytes;
        own += bytes;
        return true;
      },
      release: () => {
        this.taken -= own;
        own = 0;
      },
    };
  }
}

interface Share {
  take(bytes: number): boolean;
  release(): void;
}

interface BodyLimits {
  /** Uncompressed. */
  mostBytes: number;
  timeoutMs: number;
}

/**
 * After a rejection, the rest is read and discarded, because many clients read only once they have sent everything.
 *
 * @throws Rejection
 */
export function readBody(
  request: IncomingMessage,
  share: Share,
  limits: BodyLimits,
): Promise<Buffer> {
  const { mostBytes, timeoutMs } = limits;
  const packed = isPacked(request);
  onlyUtf8(request);
  if (!packed && Number(request.headers['content-length'] ?? 0) > mostBytes) {
    throw tooLarge(mostBytes);
  }
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const unpacking = packed ? createGunzip() : undefined;
    const source: Readable = unpacking ?? request;
    const timer = setTimeout(() => end(tooSlow(timeoutMs)), timeoutMs);
    let ended = false;

    function end(error?: Rejection) {
      if (ended) return;
      ended = true;
      clearTimeout(timer);
      source.off('data', take);
      if (error === undefined) {
        const [first] = chunks;
        resolve(chunks.length === 1 && first ? first : Buffer.concat(chunks, length));
        return;
      }
      stopUnpacking(request, unpacking);
      request.resume();
      reject(error);
    }

    function take(chunk: Buffer) {
      length += chunk.length;
      if (length > mostBytes) end(tooLarge(mostBytes));
      else if (share.take(chunk.length)) chunks.push(chunk);
      else end(tooMany());
    }

    source.on('data', take).on('end', () => end());
    unpacking?.on('error', () => end(notGzip()));
    request.on('close', () => {
      if (!request.complete) end(gone());
    });
    if (unpacking !== undefined) request.pipe(unpacking);
    // The client closed the connection before a listener was attached.
    if (request.destroyed && !request.complete) end(gone());
  });
}

function stopUnpacking(request: IncomingMessage, unpacking: Gunzip | undefined) {
  if (unpacking === undefined) return;
  request.unpipe(unpacking);
  unpacking.destroy();
}

/** @throws Rejection */
function isPacked(request: IncomingMessage): boolean {
  const encoding = request.headers['content-encoding']?.trim().toLowerCase() ?? '';
  if (encoding === 'gzip' || encoding === 'x-gzip') return true;
  if (encoding === '' || encoding === 'identity') return false;
  throw new Rejection(
    'encoding',
    `content-encoding: ${encoding.slice(0, 40)} is not supported; send the body uncompressed or with gzip`,
    { headers: { 'accept-encoding': 'gzip, identity' } },
  );
}

/** Any type is accepted as long as the content is JSON: Prometheus, amtool and curl send three different ones. */
function onlyUtf8(request: IncomingMessage) {
  const type = request.headers['content-type'] ?? '';
  const charset = /;\s*charset\s*=\s*"?([^";\s]*)/i.exec(type)?.[1]?.toLowerCase() ?? 'utf-8';
  if (['utf-8', 'utf8', 'us-ascii', ''].includes(charset)) return;
  throw new Rejection(
    'encoding',
    `content-type: charset ${charset.slice(0, 40)} is not supported; send JSON in UTF-8`,
  );
}

function tooLarge(mostBytes: number): Rejection {
  return new Rejection(
    'too-large',
    `the body is larger than ${mostBytes} bytes; send fewer alerts per request (max_alerts in Alertmanager), or raise services.alert-to-pubsub.maxBodyBytes in rack.yaml`,
  );
}

function tooSlow(timeoutMs: number): Rejection {
  return new Rejection(
    'slow',
    `the body did not arrive within ${timeoutMs / 1000} s; send it faster`,
    { headers: { connection: 'close' } },
  );
}

export function tooMany(): Rejection {
  return new Rejection(
    'busy',
    'too many large requests are being read at the same time; retry the request in a moment',
    { headers: { 'retry-after': '1' } },
  );
}

function notGzip(): Rejection {
  return new Rejection(
    'malformed',
    'content-encoding is gzip, but the body is not valid gzip data or is truncated',
  );
}

function gone(): Rejection {
  return new Rejection('gone', 'the sender disconnected before the body was complete');
}
