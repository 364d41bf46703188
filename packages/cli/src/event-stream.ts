/** Server-sent events, as the HTML standard has them (section 9.2, "Parsing an event stream"). */

export interface ServerEvent {
  /** `message` where nothing else is said. */
  name: string;
  data: string;
}

/** The events of a stream, each as it comes. Comments, which only keep the connection alive, are left out. */
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

/** An unfinished last line is part of an unfinished event, which counts for nothing. */
async function* lines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  // It also takes away a byte order mark.
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
