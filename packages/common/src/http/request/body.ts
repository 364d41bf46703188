/** Reads bodies of requests for all servers, and decides when one is too large (413). */
import type { IncomingMessage } from 'node:http';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { type RouteSpec, roleOf } from '@skolo/api/route';
import { contentDigest } from '@skolo/api/signature';
import { addChunk, measureJson } from '@skolo/base';
import type { Caller } from '../../access/access-control.ts';
import { HttpProblem } from '../response/problem.ts';
import type { BodyShare } from './bodies-in-flight.ts';
import { jsonErrorOffset, lineAndColumn } from './json-position.ts';

const usualBodyBytes = 1024 * 1024;
/** Without sign-in, because hundreds may send one at the same time. */
const anonymousBodyBytes = 16 * 1024;

const json = /^\s*(?:application\/json|[^\s/;]+\/[^\s/;]+\+json)\s*(?:;|$)/i;

/**
 * Undefined without a body.
 *
 * @throws HttpProblem 400, 413, 415, 503; 401: the caller has signed a different body
 */
export async function readJson(
  request: IncomingMessage,
  spec: RouteSpec,
  { caller, mostBytes, share }: BodyLimits & { caller: Caller | undefined },
): Promise<unknown> {
  const usual = roleOf(spec) === undefined ? anonymousBodyBytes : usualBodyBytes;
  const { mostBodyBytes = usual } = spec;
  const { headers } = request;
  const length = headers['content-length'] ?? '0';
  const isEmpty = length === '0' && headers['transfer-encoding'] === undefined;
  const type = headers['content-type'];
  if (!isEmpty && !json.test(type ?? '')) {
    const found =
      type === undefined ? 'the content-type is missing' : `the content-type is ${type}`;
    const wanted = 'send JSON, with content-type: application/json';
    throw new HttpProblem(415, `${found}; ${wanted}`, {
      headers: { accept: 'application/json' },
    });
  }
  const most = Math.min(mostBytes, mostBodyBytes);
  const bytes = isEmpty ? Buffer.alloc(0) : await readBytes(request, { mostBytes: most, share });
  share.hold(measureJson(bytes).memory);
  const text = bytes.toString();
  if (caller?.digest !== undefined && caller.digest !== contentDigest(text)) {
    throw new HttpProblem(401, 'the body does not match the signed Content-Digest');
  }
  return text === '' ? undefined : parseBody(text);
}

function parseBody(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const where = lineAndColumn(text, jsonErrorOffset(text) ?? 0);
    throw new HttpProblem(400, `the body is not valid JSON: error at ${where}`, { cause });
  }
}

const decoders = new Map([
  ['gzip', createGunzip],
  ['x-gzip', createGunzip],
  ['deflate', createInflate],
  ['br', createBrotliDecompress],
]);

interface BodyLimits {
  /** Uncompressed. */
  mostBytes: number;
  share: BodyShare;
}

/**
 * Reads a body in UTF-8, and decompresses it. After a rejection, the rest is read and discarded, because many clients read only once they
 * have sent everything.
 *
 * @throws HttpProblem 400, 413, 415, 503
 */
export function readBytes(
  request: IncomingMessage,
  { mostBytes, share }: BodyLimits,
): Promise<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > mostBytes) throw tooLarge(mostBytes, share);
  const decoder = decoderOf(request);
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const pieces: Buffer[] = [];
  let bytes = 0;
  const source = decoder ? request.pipe(decoder) : request;
  function fail(error: unknown): void {
    source.off('data', add);
    request.unpipe();
    decoder?.destroy();
    request.resume();
    reject(error);
  }
  function add(piece: Buffer): void {
    bytes += piece.length;
    try {
      if (bytes > mostBytes) throw tooLarge(mostBytes, share);
      share.hold(bytes);
      addChunk(pieces, piece);
    } catch (error) {
      fail(error);
    }
  }
  function leave(): void {
    if (!request.complete) fail(new HttpProblem(400, 'the client disconnected'));
  }
  source.on('data', add).once('end', () => {
    const [first] = pieces;
    resolve(pieces.length === 1 && first ? first : Buffer.concat(pieces));
  });
  decoder?.once('error', (cause) => fail(new HttpProblem(400, damaged, { cause })));
  request.once('close', leave);
  // It disconnected before.
  if (request.destroyed) leave();
  return promise;
}

const damaged = 'the body is not what its content-encoding says, or is incomplete';

function tooLarge(mostBytes: number, { hint }: BodyShare): HttpProblem {
  return new HttpProblem(413, `the body is larger than ${mostBytes} bytes; ${hint}`);
}

/** @throws HttpProblem 415 */
function decoderOf({ headers }: IncomingMessage) {
  const { 'content-encoding': encoding = 'identity', 'content-type': type = '' } = headers;
  const charset = /;\s*charset\s*=\s*"?([^\s;"]+)/i.exec(type)?.[1] ?? 'utf-8';
  const create = decoders.get(encoding.toLowerCase());
  if (!/^(utf-?8|us-ascii)$/i.test(charset) || (!create && !/^(identity)?$/i.test(encoding))) {
    const accepted = [...decoders.keys(), 'identity'].join(', ');
    throw new HttpProblem(
      415,
      `the encoding of the body is not supported; send JSON in UTF-8, uncompressed or with content-encoding ${accepted}`,
      { headers: { 'accept-encoding': accepted } },
    );
  }
  return create?.();
}
