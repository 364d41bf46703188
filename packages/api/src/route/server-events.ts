/** Server-sent events (WHATWG HTML, 9.2). */

export interface ServerEvent {
  /** `message` by default. */
  name: string;
  data: string;
  /** Id of the last event that had one. A client that reconnects sends it as `Last-Event-ID`. */
  id?: string;
}

/** Yields the events of a stream. Skips comments, which only keep the connection alive. */
export async function* serverEvents(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<ServerEvent> {
  let name = '';
  let id: string | undefined;
  let data: string[] = [];
  for await (const line of lines(chunks)) {
    if (line === '') {
      if (data.length > 0) {
        yield { name: name || 'message', data: data.join('\n'), ...(id !== undefined && { id }) };
      }
      name = '';
      data = [];
      continue;
    }
    const [, field, value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
    if (field === 'event') name = value;
    if (field === 'data') data.push(value);
    if (field === 'id') id = value;
  }
}

interface Connections<E> {
  /** @param lastId id of the last event that had one */
  connect(lastId: string | undefined): Promise<AsyncIterable<E>>;
  /**
   * The connection failed or ended; `failures` counts consecutive failures. Reconnects when this resolves, and ends with the error that it
   * throws.
   */
  lost(error: unknown, failures: number): Promise<void>;
}

/** Yields events, reconnecting as needed. */
export async function* followed<E extends { id?: string }>({
  connect,
  lost,
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
    await lost(why, failures);
  }
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
      continue;
    }
    yield rest + first;
    yield* others;
    rest = last;
  }
}
