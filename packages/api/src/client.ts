import { STATUS_CODES } from 'node:http';
import { parseJson } from '@skolo/errors';
import { z } from 'zod';
import { ApiError, ApiUnreachable, whyUnreachable } from './api-error.ts';
import { Problem, problemType } from './problem.ts';
import { type Api, isSuccess, pathParams, type RouteSpec } from './route.ts';

export interface ClientOptions {
  /** http or https; a path in it stays in front of the routes'. */
  baseUrl: string;
  /** Sent as `Authorization: Bearer …`. */
  token?: string;
  /** The global `fetch` by default. */
  fetch?: typeof fetch;
  /** For one call, from connecting to the end of the answer; of text or bytes, between any two pieces. Default 10 s. */
  timeoutMs?: number;
  /** No answer is larger, once it is unpacked; 64 MiB by default. */
  mostBytes?: number;
}

const usualMostBytes = 64 * 1024 * 1024;

/** What a call of a route takes. */
export type ClientRequest<R extends RouteSpec> = Part<'params', R['params']> &
  Part<'query', R['query']> &
  Part<'headers', R['headers']> &
  Part<'body', R['body']> & { signal?: AbortSignal | undefined; timeoutMs?: number | undefined };

/** An answer of text or bytes. */
export interface ClientContent {
  bytes: Uint8Array;
  headers: Headers;
}

/** What a call of a route gives: the body of its 2xx answer, or undefined where that has none. */
export type ClientAnswer<R extends RouteSpec> = R extends { types: readonly string[] }
  ? ClientContent
  : JsonAnswer<R>;

type JsonAnswer<R extends RouteSpec> = {
  [Status in keyof R['answers'] & number]: `${Status}` extends `2${string}`
    ? R['answers'][Status] extends z.ZodType
      ? z.output<R['answers'][Status]>
      : undefined
    : never;
}[keyof R['answers'] & number];

/** A call for each route but those of server-sent events. */
export type Client<A extends Api> = {
  readonly [Name in keyof A as A[Name] extends { events: unknown } ? never : Name]: Call<A[Name]>;
};

type Call<R extends RouteSpec> =
  Record<never, never> extends ClientRequest<R>
    ? (request?: ClientRequest<R>) => Promise<ClientAnswer<R>>
    : (request: ClientRequest<R>) => Promise<ClientAnswer<R>>;

/**
 * A key that is absent without a schema, optional when all in the schema is, and else required. Not distributive: of a
 * route that is not known yet, the four parts would be too many unions for TypeScript.
 */
type Part<Key extends string, S> = [S] extends [z.ZodType]
  ? Record<never, never> extends Sent<S>
    ? { [K in Key]?: Sent<S> }
    : { [K in Key]: Sent<S> }
  : Record<never, never>;

/** The input of a schema; of what is coerced the output, since its input is `unknown`. */
type Sent<S extends z.ZodType> =
  z.input<S> extends Record<string, unknown>
    ? {
        [K in keyof z.input<S>]: unknown extends z.input<S>[K]
          ? K extends keyof z.output<S>
            ? z.output<S>[K]
            : never
          : z.input<S>[K];
      }
    : z.input<S>;

/**
 * A client of an API with a method for each of its routes.
 *
 * A call throws {@link ApiError} when the answer is a problem or does not fit the route's schema,
 * {@link ApiUnreachable} when there is none in time, and the signal's reason when the caller aborts it.
 *
 * @example
 * const client = createClient(metadataServerApi, { baseUrl: 'http://192.168.1.8:20010' });
 * const { clients } = await client.clients();
 *
 * @throws TypeError The URL or the token is of no use. The message does not show them: a URL may hold a password.
 */
export function createClient<A extends Api>(api: A, options: ClientOptions): Client<A> {
  checkBaseUrl(options.baseUrl);
  if (options.token !== undefined && !/^[\x21-\x7e]+$/.test(options.token)) {
    throw new TypeError('the token has characters that a header cannot carry; a line break?');
  }
  const calls = Object.entries(api).map(([name, spec]) => [
    name,
    (request: AnyRequest = {}) => call(name, spec, request, options),
  ]);
  // The keys and the types of the calls are those of `api`, which `Object.entries` forgets.
  return Object.fromEntries(calls) as Client<A>;
}

interface AnyRequest {
  params?: Record<string, unknown>;
  query?: Record<string, unknown>;
  headers?: Record<string, unknown>;
  body?: unknown;
  signal?: AbortSignal;
  timeoutMs?: number;
}

async function call(name: string, spec: RouteSpec, request: AnyRequest, options: ClientOptions) {
  const url = urlOf(name, spec, request, options.baseUrl);
  const what = `${spec.method.toUpperCase()} ${url}`;
  const body = spec.body && request.body !== undefined ? JSON.stringify(request.body) : undefined;
  const timeoutMs = request.timeoutMs ?? options.timeoutMs ?? 10_000;
  const late = new AbortController();
  const end = () => late.abort(new OutOfTime(`no answer within ${timeoutMs / 1000} s`));
  const timer = setTimeout(end, timeoutMs);
  const signal = AbortSignal.any([late.signal, ...(request.signal ? [request.signal] : [])]);
  const isContent = spec.types !== undefined;
  let response: Response;
  let bytes: Uint8Array;
  try {
    response = await (options.fetch ?? fetch)(url, {
      method: spec.method.toUpperCase(),
      headers: {
        ...headersOf(request),
        accept: `application/json, ${problemType}`,
        ...(options.token !== undefined && { authorization: `Bearer ${options.token}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body }),
      // A redirect is not an answer of ours, and the token must not follow it.
      redirect: 'manual',
      signal,
    });
    const mostBytes = options.mostBytes ?? usualMostBytes;
    bytes = await bytesOf(response, mostBytes, isContent ? () => timer.refresh() : undefined);
  } catch (error) {
    request.signal?.throwIfAborted();
    const { origin } = new URL(url);
    if (error instanceof OutOfTime || error instanceof TooLarge) {
      throw new ApiUnreachable(origin, error.message);
    }
    throw new ApiUnreachable(origin, whyUnreachable(error), error);
  } finally {
    clearTimeout(timer);
    late.abort();
  }
  if (isContent && response.ok) return { bytes, headers: response.headers };
  const text = new TextDecoder().decode(bytes);
  if (!isSuccess(response.status)) throw new ApiError(what, problemOf(url, response, text));
  return answerOf(spec, { what, url }, response, text);
}

class OutOfTime extends Error {}
class TooLarge extends Error {}

/** As much as may be, and not what somebody makes of it who wants this process to run out of memory. */
async function bytesOf(
  { body }: Response,
  mostBytes: number,
  onPiece: (() => void) | undefined,
): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of body ?? []) {
    onPiece?.();
    length += piece.length;
    if (length > mostBytes) throw new TooLarge(`its answer is larger than ${mostBytes} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

function headersOf({ headers = {} }: AnyRequest): Record<string, string> {
  const sent = Object.entries(headers).filter(([, value]) => value !== undefined);
  return Object.fromEntries(sent.map(([name, value]) => [name, String(value)]));
}

function urlOf(name: string, spec: RouteSpec, request: AnyRequest, baseUrl: string): string {
  let path: string = spec.path;
  for (const param of pathParams(path)) {
    const value = String(request.params?.[param] ?? '');
    // A URL's parser takes `.` and `..` for folders, encoded or not.
    if (['', '.', '..'].includes(value)) {
      throw new TypeError(`${name}: '${value}' cannot be the ${param} in ${spec.path}`);
    }
    path = path.replace(`{${param}}`, () => encodeURIComponent(value));
  }
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(request.query ?? {})) {
    for (const each of Array.isArray(value) ? value : [value]) {
      if (each !== undefined) query.append(key, String(each));
    }
  }
  const search = query.size > 0 ? `?${query}` : '';
  return `${baseUrl.replace(/\/+$/, '')}${path}${search}`;
}

/** The problem that the service sent, or one that says what came instead. */
function problemOf(url: string, response: Response, text: string): Problem {
  const { status } = response;
  const sent = Problem.safeParse(parseJson(text));
  if (sent.success) return { ...sent.data, status };
  const type = response.headers.get('content-type')?.split(';')[0] ?? 'nothing';
  return {
    type: 'about:blank',
    title: STATUS_CODES[status] ?? `status ${status}`,
    status,
    detail: `${new URL(url).origin}: the answer is ${status}, ${type}, and not from this service; is this its URL, or is a proxy between?`,
  };
}

function answerOf(
  spec: RouteSpec,
  { what, url }: { what: string; url: string },
  response: Response,
  text: string,
): unknown {
  const { status } = response;
  if (!(status in spec.answers)) {
    const known = Object.keys(spec.answers).join(', ');
    throw unexpected(what, url, status, `the status is ${status}, not ${known}`);
  }
  const schema = spec.answers[status];
  if (!schema) return undefined;
  const json = parseJson(text);
  if (json === undefined) throw unexpected(what, url, status, 'the answer is not JSON');
  const answer = schema.safeParse(json);
  if (answer.success) return answer.data;
  throw unexpected(what, url, status, issuesOf(answer.error));
}

function unexpected(what: string, url: string, status: number, why: string): ApiError {
  const detail = `${new URL(url).origin}: ${why}; are the client and the service of the same version?`;
  return new ApiError(what, { type: 'about:blank', title: 'unexpected answer', status, detail });
}

function issuesOf({ issues }: z.ZodError): string {
  const shown = issues.slice(0, 3).map(({ path, message }) => {
    const where = z.core.toDotPath(path);
    return where === '' ? message : `${where}: ${message}`;
  });
  const rest = issues.length - shown.length;
  return shown.join('; ') + (rest > 0 ? `; and ${rest} more` : '');
}

function checkBaseUrl(text: string) {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !['http:', 'https:'].includes(url.protocol)) {
    throw new TypeError('the URL of the service has to be like http://host:port');
  }
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw new TypeError('the URL of the service has a user, a password, a ? or a #; leave it out');
  }
}
