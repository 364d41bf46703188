/**
 * The selectors of a PromQL expression, by Prometheus' own parser: it evaluates the expression, and reads every selector from a remote
 * store, which is this process (https://prometheus.io/docs/prometheus/latest/querying/remote_read_api/).
 */
import { createServer } from 'node:http';
import { buffer } from 'node:stream/consumers';
import type { AtTheEnd } from '@skolo/base/testing';
import { listen } from '@skolo/base/testing';
import { startPrometheus, textAt, writeFiles } from './monitoring-stack.ts';

/** `name="value"` and the like, for one label. Prometheus matches the whole value against a regular expression. */
export interface Matcher {
  type: '=' | '!=' | '=~' | '!~';
  name: string;
  value: string;
}
const types = ['=', '!=', '=~', '!~'] as const;

export function matches({ type, value }: Matcher, text: string): boolean {
  const is = type.endsWith('~') ? new RegExp(`^(?:${value})$`, 's').test(text) : text === value;
  return type.startsWith('!') ? !is : is;
}

/** Starts a Prometheus without targets. Returns a function that returns an expression's selectors. */
export async function startSelectors(program: string, dir: string, atTheEnd: AtTheEnd) {
  let found: Matcher[][] = [];
  const store = createServer(async (request, response) => {
    found.push(...queriesOf(unpacked(await buffer(request))));
    // A ReadResponse with one empty result, in Snappy format: its length, and a literal of two bytes.
    response
      .setHeader('content-type', 'application/x-protobuf')
      .setHeader('content-encoding', 'snappy');
    response.end(Buffer.from([2, 4, 0x0a, 0]));
  });
  const port = await listen(store, atTheEnd);
  const remote = `{ url: "http://127.0.0.1:${port}/", read_recent: true }`;
  await writeFiles(dir, { 'prometheus.yml': `remote_read: [${remote}]\n` });
  const { url } = await startPrometheus(program, dir, atTheEnd);

  return async function selectorsOf(query: string): Promise<Matcher[][]> {
    found = [];
    const answer = await textAt(`${url}/query?${new URLSearchParams({ query })}`);
    if (!answer.includes('"status":"success"'))
      throw new Error(`${query}: ${answer || 'no answer'}`);
    return found;
  };
}

/** Snappy's block format (https://github.com/google/snappy/blob/main/format_description.txt). */
function unpacked(packed: Buffer): Buffer {
  const [, start] = varint(packed, 0);
  const out: number[] = [];
  for (let at = start; at < packed.length; ) {
    const tag = packed[at++] ?? 0;
    const kind = tag & 3;
    if (kind === 0) {
      const extra = Math.max(0, (tag >> 2) - 59);
      const length = 1 + (extra === 0 ? tag >> 2 : packed.readUIntLE(at, extra));
      at += extra;
      out.push(...packed.subarray(at, at + length));
      at += length;
      continue;
    }
    const length = kind === 1 ? 4 + ((tag >> 2) & 7) : 1 + (tag >> 2);
    const bytes = kind === 3 ? 4 : kind;
    const offset = (kind === 1 ? (tag >> 5) << 8 : 0) + packed.readUIntLE(at, bytes);
    at += bytes;
    for (let i = 0; i < length; i += 1) out.push(out[out.length - offset] ?? 0);
  }
  return Buffer.from(out);
}

/** Matchers of each query of a ReadRequest (prometheus/prompb/remote.proto, types.proto). */
function queriesOf(message: Buffer): Matcher[][] {
  return bytesOf(message, 1).map((query) =>
    bytesOf(query, 3).map((matcher) => ({
      type: types[numberOf(matcher, 1)] ?? '=',
      name: bytesOf(matcher, 2).join(),
      value: bytesOf(matcher, 3).join(),
    })),
  );
}

function bytesOf(message: Buffer, wanted: number): Buffer[] {
  return fieldsOf(message).flatMap(({ field, value }) =>
    field === wanted && typeof value !== 'number' ? [value] : [],
  );
}

function numberOf(message: Buffer, wanted: number): number {
  const { value } = fieldsOf(message).find(({ field }) => field === wanted) ?? {};
  return typeof value === 'number' ? value : 0;
}

function fieldsOf(message: Buffer): { field: number; value: number | Buffer }[] {
  const fields: { field: number; value: number | Buffer }[] = [];
  for (let at = 0; at < message.length; ) {
    const [key, afterKey] = varint(message, at);
    const [number, afterNumber] = varint(message, afterKey);
    const isNumber = key % 8 === 0;
    at = isNumber ? afterNumber : afterNumber + number;
    const value = isNumber ? number : message.subarray(afterNumber, at);
    fields.push({ field: Math.floor(key / 8), value });
  }
  return fields;
}

function varint(bytes: Buffer, at: number): [value: number, next: number] {
  let value = 0;
  for (let shift = 1; ; shift *= 128) {
    const byte = bytes[at++] ?? 0;
    value += (byte & 127) * shift;
    if (byte < 128) return [value, at];
  }
}
