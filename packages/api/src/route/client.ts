/** The typed client of an API: timeouts, the largest response, when a stream counts as silent, and signatures of answers. */
import { parseJson } from '@skolo/base';
import { STATUS_CODES } from '@skolo/base/http';
import { z } from 'zod';
import { ApiError, ApiUnreachable, whyFetchFailed } from './api-error.ts';
import {
  type AnyRequest,
  type Client,
  clientOf,
  headersOf,
  olderStatus,
  urlOf,
  whyOlder,
} from './calls.ts';
import { Problem, problemType } from './problem.ts';
import { anotherRack, rackHeader } from './rack-header.ts';
import { type Api, isSuccess, type RouteSpec } from './route.ts';
import { serverEvents } from './server-events.ts';
import type { Signer } from './signature.ts';

export interface ClientOptions {
  /** http or https; its path is prepended to the routes' paths. */
  baseUrl: string;
  /** Sent as `Authorization: Bearer …`. */
  token?: string | undefined;
  /** Signs requests to a machine's agent, instead of a token. */
  signer?: Signer | undefined;
  /** The intended rack: a service of another rack rejects the request, and its response is not used. */
  rack?: string | undefined;
  /** Default: the global `fetch`. */
  fetch?: Fetch;
  /**
   * For one call, from connecting to the end of the response; for text or bytes, between any two chunks; for events, until the response
   * begins. Default 10 s.
   */
  timeoutMs?: number | undefined;
  /** Between any two chunks of an event stream, on which a service sends something every 5 s (15 s before 0.3). Default 45 s. */
  silenceMs?: number;
  /**
   * Maximum size of a response after decompression, and of the memory for its JSON, for which 16 MiB are always allowed. Default: 64 MiB,
   * and what JSON of others may take of this process.
   */
  mostBytes?: number | undefined;
}

/** `fetch`, as far as a client uses it. */
export type Fetch = (
  url: string,
  request: {
    method: string;
    headers: Record<string, string>;
    body?: string;
    redirect: 'manual';
    signal: AbortSignal;
  },
) => Promise<{
  status: number;
  ok: boolean;
  headers: Pick<Headers, 'get'>;
  body: AsyncIterable<Uint8Array> | null;
}>;
type Response = Awaited<ReturnType<Fetch>>;

const usualMostBytes = 64 * 1024 * 1024;
/** A response of 64 kB may take more than a megabyte: objects cost more than their text. */
const leastMemory = 16 * 1024 * 1024;
/** The server of an error chooses its text, even if a large response is expected that nobody parses. */
const mostProblemBytes = 64 * 1024;
const usualTimeoutMs = 10_000;
const usualSilenceMs = 45_000;

/**
 * A client of an API with a method for each of its routes.
 *
 * A call throws {@link ApiError} when the answer is a problem, does not fit the route's schema, or is that of another rack (421),
 * {@link ApiUnreachable} when there is none in time, and the signal's reason when the caller aborts it.
 *
 * @example
 * const client = createClient(metadataServerApi, { baseUrl: 'http://192.168.1.8:20010' });
 * const { clients } = await client.clients();
 *
 * @throws TypeError The URL or the token is not valid. The message does not have them: a URL may contain a password.
 */
export function createClient<A extends Api>(api: A, options: ClientOptions): Client<A> {
  checkBaseUrl(options.baseUrl);
  if (options.token !== undefined && !/^[\x21-\x7e]+$/.test(options.token)) {
    throw new TypeError(
      'the token contains characters that are not allowed in HTTP headers, such as line breaks',
    );
  }
  return clientOf<A, RouteSpec>(api, (spec, request) => call(spec, request, options));
}

async function call(spec: RouteSpec, request: AnyRequest, options: ClientOptions) {
  const url = urlOf(spec, request, options.baseUrl);
  const body = spec.body && request.body !== undefined ? JSON.stringify(request.body) : undefined;
  const given = request.mostBytes ?? options.mostBytes;
  const mostBytes = given ?? usualMostBytes;
  const mostMemory = given && Math.max(given, leastMemory);
  const asked = { what: `${spec.method.toUpperCase()} ${url}`, url, mostMemory };
  const timeoutMs = request.timeoutMs ?? options.timeoutMs ?? usualTimeoutMs;
  const deadline = startDeadline(request.signal);
  let response: Response;
  let bytes: Uint8Array;
  let isStream = false;
  try {
    deadline.allow(timeoutMs);
    const method = spec.method.toUpperCase();
    const headers = {
      ...headersOf(request),
      accept: `${spec.events ? eventStream : 'application/json'}, ${problemType}`,
      ...(options.rack !== undefined && { [rackHeader]: options.rack }),
      ...(options.token !== undefined && { authorization: `Bearer ${options.token}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    };
    const send = async (signed: Record<string, string> | undefined): Promise<Response> => {
      const answer = await (options.fetch ?? fetch)(url, {
        method,
        headers: { ...headers, ...signed },
        ...(body !== undefined && { body }),
        // Services never redirect, and the token must not be sent elsewhere.
        redirect: 'manual',
        signal: deadline.signal,
      });
      const why = anotherRack(answer.headers.get(rackHeader), options.rack);
      if (why === undefined) return answer;
      deadline.abort();
      throw misdirected(asked, why);
    };
    const { signer } = options;
    const { pathname, search } = new URL(url);
    const signed = () => signer?.sign({ method, target: `${pathname}${search}`, body: body ?? '' });
    response = await send(signed());
    if (signer !== undefined) {
      // 401: the agent has done nothing, because the challenge was too old or missing.
      signer.learn(response.headers);
      const again = response.status === 401 ? signed() : undefined;
      if (again !== undefined) {
        await bytesOf(response, mostBytes, () => undefined);
        response = await send(again);
        signer.learn(response.headers);
      }
    }
    isStream = spec.events !== undefined && typeOf(response) === eventStream;
    if (isStream) {
      const events = eventsOf(spec, asked, response, deadline, request.signal, options.silenceMs);
      return { events, headers: response.headers };
    }
    bytes = await bytesOf(response, mostBytes, () => spec.types && deadline.allow(timeoutMs));
  } catch (error) {
    throw lost(error, url, request.signal);
  } finally {
    if (!isStream) deadline.end();
  }
  if (spec.types && response.ok) return { bytes, headers: response.headers };
  const isProblem = !isSuccess(response.status);
  const text = new TextDecoder().decode(isProblem ? bytes.subarray(0, mostProblemBytes) : bytes);
  if (isProblem) {
    const kind = options.signer === undefined ? 'service' : 'agent';
    throw new ApiError(asked.what, problemOf(kind, asked, spec, response, text));
  }
  return answerOf(spec, asked, response, text);
}

const eventStream = 'text/event-stream';

class OutOfTime extends Error {}
class TooLarge extends Error {}

/** Aborts a call that times out. */
function startDeadline(signal: AbortSignal | undefined) {
  const limit = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const abort = () => limit.abort(signal?.reason);
  // Not `AbortSignal.any`, which takes more time per call than its JSON.
  if (signal?.aborted) abort();
  else signal?.addEventListener('abort', abort);
  return {
    signal: limit.signal,
    abort,
    /** From now on. */
    allow(ms: number) {
      clearTimeout(timer);
      timer = setTimeout(() => limit.abort(new OutOfTime(`no response within ${ms / 1000} s`)), ms);
    },
    end() {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    },
  };
}

/** @throws The signal's reason, if it is aborted. */
function lost(error: unknown, url: string, signal: AbortSignal | undefined): Error {
  signal?.throwIfAborted();
  if (error instanceof ApiError) return error;
  const { origin } = new URL(url);
  if (error instanceof OutOfTime || error instanceof TooLarge) {
    return new ApiUnreachable(origin, error.message);
  }
  return new ApiUnreachable(origin, whyFetchFailed(error), error);
}

async function* eventsOf(
  spec: RouteSpec,
  asked: Asked,
  response: Response,
  deadline: ReturnType<typeof startDeadline>,
  signal: AbortSignal | undefined,
  silenceMs = usualSilenceMs,
) {
  async function* pieces() {
    for await (const piece of response.body ?? []) {
      deadline.allow(silenceMs);
      yield piece;
    }
  }
  try {
    deadline.allow(silenceMs);
    for await (const { name, data, ...id } of serverEvents(pieces())) {
      const schema = spec.events?.[name];
      if (schema) yield { name, data: parsed(schema, asked, response.status, data), ...id };
    }
  } catch (error) {
    throw lost(error, asked.url, signal);
  } finally {
    deadline.end();
  }
  throw new ApiUnreachable(new URL(asked.url).origin, 'the service closed the connection');
}

/** Limits the size, so that no server can exhaust this process's memory. */
async function bytesOf(
  { body }: Response,
  mostBytes: number,
  onPiece: () => void,
): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of body ?? []) {
    onPiece();
    length += piece.length;
    if (length > mostBytes) throw new TooLarge(`the response is larger than ${mostBytes} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

/** The problem that the service sent, or one that describes any other response. */
function problemOf(
  kind: 'service' | 'agent',
  { url }: Asked,
  spec: RouteSpec,
  response: Response,
  text: string,
): Problem {
  const { status } = response;
  const { origin } = new URL(url);
  const sent = Problem.safeParse(parseJson(text));
  if (sent.success) {
    const older = whyOlder(`the ${kind} at ${origin}`, spec, { ...sent.data, status });
    if (older === undefined) return { ...sent.data, status };
    return { ...sent.data, title: 'Not Implemented', status: olderStatus, detail: older };
  }
  return {
    type: 'about:blank',
    title: STATUS_CODES[status] ?? `status ${status}`,
    status,
    detail: `${origin}: the response (${status}, ${typeOf(response)}) is not from this service; check the URL, and whether a proxy is intercepting requests`,
  };
}

interface Asked {
  /** `GET http://…`, for {@link ApiError}. */
  what: string;
  url: string;
  /** Of the JSON of the response. */
  mostMemory: number | undefined;
}

function answerOf(spec: RouteSpec, asked: Asked, response: Response, text: string): unknown {
  const { status } = response;
  if (!(status in spec.answers)) {
    const known = Object.keys(spec.answers).join(' or ');
    throw unexpected(asked, status, `unexpected status: ${status}, not ${known}`);
  }
  if (spec.events) {
    throw unexpected(asked, status, `the response is ${typeOf(response)}, not ${eventStream}`);
  }
  const schema = spec.answers[status];
  return schema && parsed(schema, asked, status, text);
}

function parsed(schema: z.ZodType, asked: Asked, status: number, text: string): unknown {
  const json = parseJson(text, asked.mostMemory);
  if (json === undefined) throw unexpected(asked, status, 'the response is not JSON, or too large');
  const answer = schema.safeParse(json);
  if (answer.success) return answer.data;
  throw unexpected(asked, status, issuesOf(answer.error));
}

function typeOf({ headers }: Response): string {
  return headers.get('content-type')?.split(';')[0] ?? 'nothing';
}

function misdirected({ what, url }: Pick<Asked, 'what' | 'url'>, why: string): ApiError {
  const detail = `${new URL(url).origin}: ${why}`;
  return new ApiError(what, {
    type: 'about:blank',
    title: 'Misdirected Request',
    status: 421,
    detail,
  });
}

function unexpected({ what, url }: Asked, status: number, why: string): ApiError {
  const detail = `${new URL(url).origin}: ${why}; check that the client and the service have the same version`;
  return new ApiError(what, { type: 'about:blank', title: 'unexpected response', status, detail });
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
    throw new TypeError('the service URL must have the form http://host:port');
  }
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw new TypeError('the service URL must not contain a user, a password, ? or #');
  }
}
