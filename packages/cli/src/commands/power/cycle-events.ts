/** `GET /v1/power-cycles/events`: progress of cycles, as server-sent events. */
import { ApiError, PowerCycle, Problem } from '@skolo/api';
import { errorText, parseJson } from '@skolo/errors';
import { guardSilence } from '../../until-stopped.ts';

/** The connection failed or ended. Worth a retry. */
export class ConnectionLost extends Error {
  readonly code = 'CONNECTION_LOST';
}

interface CycleEventsOptions {
  baseUrl: string;
  token: string | undefined;
  ids: readonly string[];
  signal: AbortSignal;
  /** Called when the service answers, with its wall clock if the response has one. */
  onOpen(serverTime: number | undefined): void;
  /** Deadline for the response to begin; default 10 s. */
  connectMs?: number;
  /** The service sends at least one line every 15 s. Without one for this long the connection is lost. Default 45 s. */
  silenceMs?: number;
}

/**
 * Yields the present state of each requested cycle, and then each change.
 *
 * @throws ConnectionLost
 * @throws ApiError The service rejects the request; a retry does not help.
 */
export async function* cycleEvents(options: CycleEventsOptions): AsyncGenerator<PowerCycle> {
  const { baseUrl, token, ids, connectMs = 10_000, silenceMs = 45_000 } = options;
  const query = ids.map(encodeURIComponent).join(',');
  const url = `${baseUrl.replace(/\/+$/, '')}/v1/power-cycles/events?ids=${query}`;
  const guard = guardSilence(
    options.signal,
    (ms) => new ConnectionLost(`no data for ${ms / 1000} s`),
  );
  try {
    guard.expect(connectMs);
    const response = await fetch(url, {
      headers: {
        accept: 'text/event-stream',
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
      },
      redirect: 'manual',
      signal: guard.signal,
    });
    const body = await streamOf(response, url);
    options.onOpen(serverTime(response));
    guard.expect(silenceMs);
    for await (const event of serverEvents(guarded(body))) {
      if (event.name === 'cycle') yield cycleOf(event, url);
    }
  } catch (error) {
    options.signal.throwIfAborted();
    if (error instanceof ApiError || error instanceof ConnectionLost) throw error;
    throw new ConnectionLost(whyLost(error), { cause: error });
  } finally {
    guard.end();
  }
  throw new ConnectionLost('the service closed it');

  async function* guarded(body: AsyncIterable<Uint8Array>) {
    for await (const chunk of body) {
      guard.expect(silenceMs);
      yield chunk;
    }
  }
}

async function streamOf(response: Response, url: string): Promise<AsyncIterable<Uint8Array>> {
  const { status, body } = response;
  const type = response.headers.get('content-type')?.split(';')[0] ?? 'nothing';
  if (status === 200 && type === 'text/event-stream' && body !== null) return body;
  const text = await response.text();
  const sent = Problem.safeParse(parseJson(text));
  // The service is starting or overloaded: temporary.
  if (status >= 500 || status === 429) {
    throw new ConnectionLost(sent.data?.detail ?? `HTTP ${status}`);
  }
  throw unexpected(url, sent.data ?? { status, detail: `HTTP ${status}, ${type}` });
}

function cycleOf({ data }: ServerEvent, url: string): PowerCycle {
  const cycle = PowerCycle.safeParse(parseJson(data));
  if (cycle.success) return cycle.data;
  const [issue] = cycle.error.issues;
  const detail = `${issue?.path.join('.')}: ${issue?.message}`;
  throw unexpected(url, { status: 200, detail });
}

function unexpected(url: string, problem: Problem | { status: number; detail: string }): ApiError {
  const what = `GET ${url.split('?')[0]}`;
  if ('title' in problem) return new ApiError(what, problem);
  const detail = `${new URL(url).origin}: ${problem.detail}; are the client and the service of the same version?`;
  return new ApiError(what, {
    ...problem,
    type: 'about:blank',
    title: 'unexpected answer',
    detail,
  });
}

function serverTime(response: Response): number | undefined {
  const time = Date.parse(response.headers.get('date') ?? '');
  return Number.isNaN(time) ? undefined : time;
}

/** `fetch` has the reason in its cause. */
function whyLost(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  if (cause instanceof Error && 'code' in cause) return String(cause.code);
  return errorText(cause);
}

export interface ServerEvent {
  /** `message` by default. */
  name: string;
  data: string;
}

/** Yields the events of a stream. Skips comments, which only keep the connection alive. */
export async function* serverEvents(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<ServerEvent> {
  let name = '';
  let data: string[] = [];
  for await (const line of lines(chunks)) {
    if (line === '') {
      if (data.length > 0) yield { name: name || 'message', data: data.join('\n') };
      name = '';
      data = [];
      continue;
    }
    const [, field, value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
    if (field === 'event') name = value;
    if (field === 'data') data.push(value);
  }
}

/** Drops an unfinished last line: it belongs to an unfinished event. */
async function* lines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  // The decoder also removes a byte order mark.
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of chunks) {
    rest += decoder.decode(chunk, { stream: true });
    // A CR at the end may be the first half of CR LF.
    const complete = rest.endsWith('\r') ? rest.slice(0, -1) : rest;
    const parts = complete.split(/\r\n|\n|\r/);
    const last = parts.pop() ?? '';
    rest = last + rest.slice(complete.length);
    yield* parts;
  }
}
