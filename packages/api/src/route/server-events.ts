/** The client of event streams (server-sent events), for the command and the console, and the pauses before it reconnects. */
import { type BackOffOptions, backOffMs } from '@skolo/base/back-off';

export interface ServerEvent {
  /** `message` by default. */
  name: string;
  data: string;
  /** Id of the last event that had one. A client that reconnects sends it as `Last-Event-ID`. */
  id?: string;
}

/** Characters of an event; our services send some thousand. */
const mostLength = 1024 * 1024;

/**
 * Yields the events of a stream. Skips comments, which only keep the connection alive.
 *
 * @throws Error An event is too large.
 */
export async function* serverEvents(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<ServerEvent> {
  let name = '';
  let id: string | undefined;
  let data: string[] = [];
  let length = 0;
  for await (const line of lines(chunks)) {
    length += line.length;
    if (length > mostLength) throw tooLarge();
    if (line === '') {
      if (data.length > 0) {
        yield { name: name || 'message', data: data.join('\n'), ...(id !== undefined && { id }) };
      }
      name = '';
      data = [];
      length = 0;
      continue;
    }
    const [, field, value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
    if (field === 'event') name = value;
    if (field === 'data') data.push(value);
    if (field === 'id') id = value;
  }
}

function tooLarge(): Error {
  return new Error(`an event has more than ${mostLength} characters`);
}

interface Connections<E> {
  /** @param lastId id of the last event that had one */
  connect(lastId: string | undefined): Promise<AsyncIterable<E>>;
  /**
   * The connection failed or ended; `failures` counts consecutive failures. Ends with the error that this throws.
   *
   * @returns a signal that ends the pause before the next attempt
   */
  lost(error: unknown, failures: number): AbortSignal | undefined;
  /** Ends with its reason. */
  signal: AbortSignal;
  pauses?: BackOffOptions | undefined;
}

/** Short at first: most connections end because a service restarts. */
const usualPauses = { firstMs: 500, maxMs: 10_000 };

/** Yields events, and reconnects after a pause whenever the connection fails. In a browser too. */
export async function* followed<E extends { id?: string }>({
  connect,
  lost,
  signal,
  pauses = usualPauses,
}: Connections<E>): AsyncGenerator<E, never> {
  let lastId: string | undefined;
  for (let failures = 1; ; failures += 1) {
    let why: unknown;
    try {
      for await (const event of await connect(lastId)) {
        failures = 1;
        lastId = event.id ?? lastId;
        yield event;
      }
    } catch (error) {
      why = error;
    }
    signal.throwIfAborted();
    const sooner = lost(why, failures);
    await pauseUntil(backOffMs(failures, pauses), sooner ? [signal, sooner] : [signal]);
    signal.throwIfAborted();
  }
}

/** Ends early when one of the signals is aborted. */
async function pauseUntil(ms: number, signals: AbortSignal[]): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  const either = AbortSignal.any(signals);
  either.addEventListener('abort', () => resolve());
  if (!either.aborted) await promise;
  clearTimeout(timer);
}

/** Drops an incomplete last line: it belongs to an incomplete event. */
async function* lines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  // The decoder also removes a byte order mark.
  const decoder = new TextDecoder();
  let rest = '';
  let held = '';
  for await (const chunk of chunks) {
    // Searches only the new part: a line may arrive in many chunks.
    const text = held + decoder.decode(chunk, { stream: true });
    // A CR at the end may be the first half of CR LF.
    held = text.endsWith('\r') ? '\r' : '';
    const [first = '', ...others] = text.slice(0, text.length - held.length).split(/\r\n|\n|\r/);
    const last = others.pop();
    if (last === undefined) {
      rest += first;
      if (rest.length > mostLength) throw tooLarge();
      continue;
    }
    yield rest + first;
    yield* others;
    rest = last;
  }
}
