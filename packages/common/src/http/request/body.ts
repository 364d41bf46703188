/** Bodies of requests: the one reader of all servers. */
import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate } from 'node:zlib';
import { type RouteSpec, roleOf } from '@skolo/api/route';
import { contentDigest } from '@skolo/api/signature';
import { bytesUpTo, errorCode } from '@skolo/base';
import type { Caller } from '../../access/access-control.ts';
import { HttpProblem } from '../response/problem.ts';
import { jsonErrorOffset, lineAndColumn } from './json-position.ts';

const usualBodyBytes = 1024 * 1024;
/** Without sign-in, because hundreds may send one at the same time. */
const anonymousBodyBytes = 16 * 1024;

const json = /^\s*(?:application\/json|[^\s/;]+\/[^\s/;]+\+json)\s*(?:;|$)/i;

/** Undefined without a body. @throws HttpProblem 400, 413, 415; 401: the caller has signed a different body. */
export async function readJson(
  request: IncomingMessage,
  spec: RouteSpec,
  { caller, mostBytes }: { caller: Caller | undefined; mostBytes: number },
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
  const text = isEmpty ? '' : await readText(request, Math.min(mostBytes, mostBodyBytes));
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
  ['gzip', promisify(gunzip)],
  ['deflate', promisify(inflate)],
  ['br', promisify(brotliDecompress)],
]);

/**
 * Reads a body in UTF-8, and decompresses it.
 *
 * @throws HttpProblem 413: it is larger, and the rest is not read; 400, 415.
 */
async function readText(request: IncomingMessage, mostBytes: number): Promise<string> {
  const { 'content-encoding': encoding = 'identity', 'content-type': type = '' } = request.headers;
  const charset = /;\s*charset="?([^\s;"]+)/i.exec(type)?.[1] ?? 'utf-8';
  const decode = decoders.get(encoding.toLowerCase());
  if (!/^utf-?8$/i.test(charset) || (decode === undefined && !/^identity$/i.test(encoding))) {
    const wanted = 'send JSON in UTF-8, uncompressed or with content-encoding gzip, deflate or br';
    throw new HttpProblem(415, `the body’s encoding is not supported; ${wanted}`);
  }
  const pieces = request.iterator({ destroyOnReturn: false });
  const bytes = await bytesUpTo(mostBytes, pieces, () => tooLarge(mostBytes));
  if (decode === undefined) return bytes.toString();
  try {
    return (await decode(bytes, { maxOutputLength: mostBytes })).toString();
  } catch (cause) {
    if (errorCode(cause) === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(mostBytes);
    throw new HttpProblem(
      400,
      `the content-encoding is ${encoding}, but the body is damaged or incomplete ${encoding} data`,
      { cause },
    );
  }
}

function tooLarge(mostBytes: number): HttpProblem {
  const detail = `the body is larger than ${mostBytes} bytes; send less in each request`;
  return new HttpProblem(413, detail, { headers: { connection: 'close' } });
}
