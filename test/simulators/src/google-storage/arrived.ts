/** One request as it came in: which operation of the JSON API it is. */
import type { IncomingMessage } from 'node:http';
import { bearerOf } from '../cloud/web-server.ts';
import type { Operation } from './calls.ts';

export interface Arrived {
  operation: Operation;
  method: string;
  path: string;
  query: URLSearchParams;
  bucket?: string;
  object?: string;
  token?: string;
  headers: IncomingMessage['headers'];
}

/**
 * `/b/BUCKET/o/OBJECT` behind `/storage/v1`, `/upload/storage/v1`, `/download/storage/v1`. Clients that are told of an
 * emulator by STORAGE_EMULATOR_HOST leave `/storage/v1` out.
 */
const objectPath =
  /^(?<up>\/upload|\/download)?(?:\/storage\/v1)?\/b(?:\/(?<bucket>[^/]+)(?<o>\/o(?:\/(?<object>[^/]+))?)?)?\/?$/;

export function arrivedOf(request: IncomingMessage): Arrived {
  const method = request.method ?? '';
  const path = request.url ?? '/';
  const { pathname, searchParams: query } = new URL(path, 'http://localhost');
  const parts = objectPath.exec(pathname)?.groups;
  const token = bearerOf(request);
  const bucket = decoded(parts?.bucket);
  const object = decoded(parts?.object) ?? (parts?.up ? query.get('name') : undefined) ?? undefined;
  return {
    operation: parts ? operationOf(method, parts, query) : 'unknown',
    method,
    path,
    query,
    ...(bucket !== undefined && { bucket }),
    ...(object !== undefined && { object }),
    ...(token !== undefined && { token }),
    headers: request.headers,
  };
}

function operationOf(
  method: string,
  parts: Record<string, string | undefined>,
  query: URLSearchParams,
): Operation {
  if (parts.up === '/upload') {
    if (method === 'PUT' && query.has('upload_id')) return 'resume';
    if (method !== 'POST' || !parts.o || parts.object) return 'unknown';
    return query.get('uploadType') === 'resumable' ? 'start' : 'insert';
  }
  if (!parts.o) return 'unknown';
  if (!parts.object) return method === 'GET' ? 'list' : 'unknown';
  if (method === 'GET') return query.get('alt') === 'media' ? 'media' : 'get';
  if (method === 'PATCH') return 'update';
  return method === 'DELETE' ? 'delete' : 'unknown';
}

function decoded(text: string | undefined): string | undefined {
  try {
    return text === undefined ? undefined : decodeURIComponent(text);
  } catch {
    return text;
  }
}
