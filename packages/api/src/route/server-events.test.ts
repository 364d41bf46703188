import { setImmediate } from 'node:timers/promises';
import { runs } from '@skolo/base/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { followed, type ServerEvent, serverEvents } from './server-events.ts';

async function read(...chunks: (string | Uint8Array)[]): Promise<ServerEvent[]> {
  const encoder = new TextEncoder();
  async function* stream() {
    for (const each of chunks) yield typeof each === 'string' ? encoder.encode(each) : each;
  }
  const events: ServerEvent[] = [];
  for await (const event of serverEvents(stream())) events.push(event);
  return events;
}

describe('a stream of server-sent events', () => {
  it.each([
    ['an event', 'event: cycle\ndata: {}\n\n', [{ name: 'cycle', data: '{}' }]],
    ['several lines of data', 'data: a\ndata:b\ndata\n\n', [{ name: 'message', data: 'a\nb\n' }]],
    ['only one blank after the colon', 'data:  a: b\n\n', [{ name: 'message', data: ' a: b' }]],
    [
      'comments that keep it alive',
      ': hello\n\n:\n\ndata: a\n\n',
      [{ name: 'message', data: 'a' }],
    ],
    ['what it does not know', 'retry: 10\nx\ndata: a\n\n', [{ name: 'message', data: 'a' }]],
    [
      'an id, which stays until the next one',
      'data: a\n\nid: 7\ndata: b\n\ndata: c\n\n',
      [
        { name: 'message', data: 'a' },
        { name: 'message', data: 'b', id: '7' },
        { name: 'message', data: 'c', id: '7' },
      ],
    ],
    ['an event without data', 'event: cycle\n\ndata: a\n\n', [{ name: 'message', data: 'a' }]],
    ['an event that is cut', 'data: a\n\ndata: b\n', [{ name: 'message', data: 'a' }]],
    ['a byte order mark', '\ufeffdata: a\n\n', [{ name: 'message', data: 'a' }]],
    [
      'each kind of line end',
      'data: a\r\n\r\ndata: b\r\rdata: c\n\n',
      ['a', 'b', 'c'].map((data) => ({ name: 'message', data })),
    ],
  ])('has %s', async (_, text, events) => {
    expect(await read(text)).toEqual(events);
  });

  it.each([
    ['one line', [`data: ${'x'.repeat(2 ** 20)}`, 'x\n\n']],
    ['a line without an end', Array.from({ length: 1100 }, () => 'x'.repeat(1000))],
    ['many lines', Array.from({ length: 2000 }, () => 'data: x\n'.repeat(100))],
  ])('ends with an event that is too large: %s', async (_, chunks) => {
    await expect(read(...chunks)).rejects.toThrow('an event has more than 1048576 characters');
  });

  it('is the same wherever it is cut into pieces, also within a character', async () => {
    const text = 'event: cycle\r\ndata: {"text": "é – ü"}\r\n\r\n: hm\n\ndata: b\r\n\r\n';
    const bytes = new TextEncoder().encode(text);
    const whole = await read(text);

    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(fc.nat(bytes.length)), async (cuts) => {
        const places = [0, ...cuts.sort((a, b) => a - b), bytes.length];
        const pieces = places.slice(1).map((end, i) => bytes.slice(places[i], end));
        expect(await read(...pieces)).toEqual(whole);
      }),
      runs(500),
    );
  });
});

it('follows a stream from one connection to the next, with the last id', async () => {
  const connections = [[{ id: 'a' }, {}], 'rejected', [{ id: 'b' }]];
  const asked: (string | undefined)[] = [];
  const lost: unknown[] = [];
  const events = followed<{ id?: string }>({
    async connect(lastId) {
      asked.push(lastId);
      const next = connections[asked.length - 1];
      if (!Array.isArray(next)) throw next;
      return (async function* () {
        yield* next;
      })();
    },
    signal: new AbortController().signal,
    pauses: { firstMs: 1, maxMs: 2 },
    lost(error, failures) {
      lost.push([error, failures]);
      if (asked.length === 3) throw new Error('enough');
    },
  });

  const seen: unknown[] = [];
  const following = (async () => {
    for await (const event of events) seen.push(event);
  })();

  await expect(following).rejects.toThrow('enough');
  expect(seen).toEqual([{ id: 'a' }, {}, { id: 'b' }]);
  expect(asked).toEqual([undefined, 'a', 'a']);
  expect(lost).toEqual([
    [undefined, 1],
    ['rejected', 2],
    [undefined, 1],
  ]);
});

it('pauses before the next attempt, until that is worth it', async () => {
  const sooner = new AbortController();
  const ending = new AbortController();
  let attempts = 0;
  const events = followed({
    async connect() {
      attempts += 1;
      if (attempts === 2) ending.abort(new Error('enough'));
      throw new Error('connection refused');
    },
    signal: ending.signal,
    pauses: { firstMs: 3_600_000, maxMs: 3_600_000 },
    lost: () => sooner.signal,
  });

  const first = events.next();
  await setImmediate();
  expect(attempts).toBe(1);
  sooner.abort();

  await expect(first).rejects.toThrow('enough');
});
