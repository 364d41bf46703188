/** `GET /v1/devices/{device}/versions/{version}/content`: bytes, which the typed client does not do. */
import { createHash } from 'node:crypto';
import { ApiError, ApiUnreachable, Problem, whyUnreachable } from '@skolo/api';
import { sizeText } from '../../output/time.ts';
import { guardSilence } from '../../until-stopped.ts';

interface ContentOptions {
  device: string;
  version: string;
  secrets: boolean;
  /** The service may have to look for it; after so long without a byte it is taken for gone. Default 30 s. */
  silenceMs?: number;
  /** Default 1 GiB. */
  mostBytes?: number;
}

/**
 * Masked text, or with `secrets` byte for byte what the device gave.
 *
 * @throws ApiError
 * @throws ApiUnreachable
 */
export async function contentOf(
  { baseUrl, token }: { baseUrl: string; token: string | undefined },
  options: ContentOptions,
): Promise<Uint8Array> {
  const { device, version, secrets, silenceMs = 30_000, mostBytes = 2 ** 30 } = options;
  const path = `/v1/devices/${encodeURIComponent(device)}/versions/${encodeURIComponent(version)}/content`;
  const url = `${baseUrl.replace(/\/+$/, '')}${path}${secrets ? '?secrets=true' : ''}`;
  const guard = guardSilence(undefined, (ms) => new Error(`nothing heard for ${ms / 1000} s`));
  let response: Response;
  let bytes: Uint8Array;
  try {
    guard.expect(silenceMs);
    response = await fetch(url, {
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      // A redirect is not an answer of ours, and the token must not follow it.
      redirect: 'manual',
      signal: guard.signal,
    });
    bytes = await collected(response, mostBytes, () => guard.expect(silenceMs));
  } catch (error) {
    throw new ApiUnreachable(new URL(url).origin, whyUnreachable(error), error);
  } finally {
    guard.end();
  }
  if (response.status !== 200) throw new ApiError(`GET ${url}`, problemOf(url, response, bytes));
  const sha1 = response.headers.get('x-skolo-sha1');
  if (secrets && sha1 !== null && !isAge(bytes) && sha1 !== sha1Of(bytes)) {
    throw new ApiError(`GET ${url}`, {
      ...unexpected(url, response),
      detail: `what came is not the version with the SHA-1 ${sha1}; ask again, or take it from a copy with --from`,
    });
  }
  return bytes;
}

/** An encrypted archive, which is named by what is in it, and proves by itself that it is whole. */
function isAge(bytes: Uint8Array): boolean {
  const mark = 'age-encryption.org/v1\n';
  return Buffer.from(bytes.subarray(0, mark.length)).toString('latin1') === mark;
}

function sha1Of(bytes: Uint8Array): string {
  return createHash('sha1').update(bytes).digest('hex');
}

async function collected({ body }: Response, mostBytes: number, heard: () => void) {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of body ?? []) {
    heard();
    pieces.push(piece);
    length += piece.length;
    if (length > mostBytes) throw new Error(`its answer is larger than ${sizeText(mostBytes)}`);
  }
  return Buffer.concat(pieces);
}

function problemOf(url: string, response: Response, bytes: Uint8Array): Problem {
  const sent = Problem.safeParse(parseJson(new TextDecoder().decode(bytes)));
  return sent.success ? { ...sent.data, status: response.status } : unexpected(url, response);
}

function unexpected(url: string, { status, headers }: Response) {
  const type = headers.get('content-type')?.split(';')[0] ?? 'nothing';
  return {
    type: 'about:blank',
    title: 'unexpected answer',
    status,
    detail: `${new URL(url).origin}: the answer is ${status}, ${type}; are the client and the service of the same version?`,
  };
}

/** Undefined where it is not JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
