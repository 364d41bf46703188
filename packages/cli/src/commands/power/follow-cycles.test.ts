import type { RequestListener, ServerResponse } from 'node:http';
import {
  ApiError,
  ApiUnreachable,
  createClient,
  type PowerCycle,
  powerCycleDaemonApi,
} from '@skolo/api';
import { untilTestEnds } from '@skolo/base/testing';
import { exampleCycle, startScripted } from '@skolo/scripted-services';
import { describe, expect, it } from 'vitest';
import { type FollowOptions, followCycles } from './follow-cycles.ts';

/** Responds with the handlers, one per connection, the last one for all that follow. */
async function serve(...handlers: RequestListener[]): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = [];
  const daemon = untilTestEnds(await startScripted('power-cycle-daemon', {}));
  daemon.instead = (request, response) => {
    const handler = handlers[Math.min(asked.length, handlers.length - 1)];
    asked.push(decodeURIComponent(request.url ?? ''));
    handler?.(request, response);
  };
  return { url: daemon.url, asked };
}

function send(response: ServerResponse, ...cycles: PowerCycle[]): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.write(': hello\n\nevent: other\ndata: 7\n\n');
  for (const cycle of cycles) response.write(`event: cycle\ndata: ${JSON.stringify(cycle)}\n\n`);
}

function options(
  baseUrl: string,
  ids: string[],
  { silenceMs = 45_000, ...more }: Partial<FollowOptions> & { silenceMs?: number } = {},
) {
  const events: string[] = [];
  const given: FollowOptions = {
    client: createClient(powerCycleDaemonApi, { baseUrl, silenceMs }),
    ids,
    now: Date.now,
    signal: new AbortController().signal,
    pauses: { firstMs: 1, maxMs: 2 },
    watcher: {
      connected: (ahead) => events.push(`connected ${ahead}`),
      changed: ({ id, step, outcome }) => events.push(`${id} ${outcome ?? step}`),
      lost: (why) => events.push(`lost: ${why}`),
    },
    ...more,
  };
  return { events, given };
}

const waiting = exampleCycle('a', { id: 'a' });
const back = { ...waiting, outcome: 'back' } as const;

describe('following cycles', () => {
  it('ends when all are over, and closes the connection', async () => {
    let isClosed: Promise<unknown> = Promise.resolve();
    const server = await serve((request, response) => {
      isClosed = new Promise((resolve) => request.on('close', resolve));
      send(response, waiting, back, { ...back, id: 'b' });
    });
    const { events, given } = options(server.url, ['a', 'b']);

    await followCycles(given);

    expect(events).toEqual(['connected 0', 'a queued', 'a back', 'b back']);
    expect(server.asked).toEqual(['/v1/power-cycles/events?ids=a,b']);
    await isClosed;
  });

  it('reconnects after each kind of failure, and requests only cycles that are not over', async () => {
    const server = await serve(
      (request) => request.destroy(),
      (_, response) => response.writeHead(503).end(),
      (request, response) => {
        send(response, waiting, { ...back, id: 'b' });
        response.write(': so far\n\n', () => request.destroy());
      },
      (_, response) => {
        send(response, waiting);
        response.end();
      },
      (_, response) => send(response, back),
    );
    const { events, given } = options(server.url, ['a', 'b']);

    await followCycles(given);

    expect(events).toEqual([
      'lost: UND_ERR_SOCKET',
      expect.stringMatching(/^lost: http:.*: the response \(503, nothing\) /),
      'connected 0',
      'a queued',
      'b back',
      'lost: UND_ERR_SOCKET',
      'connected 0',
      'a queued',
      'lost: the service closed the connection',
      'connected 0',
      'a back',
    ]);
    expect(server.asked.slice(2)).toEqual([
      '/v1/power-cycles/events?ids=a,b',
      '/v1/power-cycles/events?ids=a',
      '/v1/power-cycles/events?ids=a',
    ]);
  });

  it('reconnects when no data comes', async () => {
    const server = await serve(
      (_, response) => send(response, waiting),
      (_, response) => send(response, back),
    );
    const { events, given } = options(server.url, ['a'], { silenceMs: 50 });

    await followCycles(given);

    expect(events).toContain('lost: no response within 0.05 s');
    expect(events.at(-1)).toBe('a back');
  });

  it('gives up when there was no connection for too long', async () => {
    const { given } = options('http://127.0.0.1:3', ['a'], { giveUpMs: 20 });

    await expect(followCycles(given)).rejects.toThrow(ApiUnreachable);
  });

  it('does not retry a rejected request', async () => {
    const problem = { type: 'about:blank', title: 'Unauthorized', status: 401, detail: 'no token' };
    const server = await serve((_, response) =>
      response
        .writeHead(401, { 'content-type': 'application/problem+json' })
        .end(JSON.stringify(problem)),
    );
    const { given } = options(server.url, ['a']);

    await expect(followCycles(given)).rejects.toThrow(/^no token$/);
    expect(server.asked).toHaveLength(1);
  });

  it.each([
    ['another page', 'text/html', '<html>', 'the response is text/html, not text/event-stream'],
    ['another version', 'text/event-stream', 'event: cycle\ndata: {"id":"a"}\n\n', 'target: '],
    [
      'half an event',
      'text/event-stream',
      'event: cycle\ndata: {"id":"a"\n\n',
      'the response is not JSON',
    ],
  ])('rejects an answer that is %s', async (_, type, body, message) => {
    const server = await serve((_request, response) =>
      response.writeHead(200, { 'content-type': type }).end(body),
    );
    const { given } = options(server.url, ['a']);

    const error: unknown = await followCycles(given).catch((each: unknown) => each);

    expect(error).toBeInstanceOf(ApiError);
    expect(String(error)).toContain(message);
  });

  it('ends at once when aborted, also in a pause', async () => {
    const stop = new AbortController();
    const { given } = options('http://127.0.0.1:3', ['a'], {
      signal: stop.signal,
      pauses: { firstMs: 600_000, maxMs: 600_000 },
    });
    given.watcher.lost = () => stop.abort(new Error('enough'));

    await expect(followCycles(given)).rejects.toThrow();
  });

  it('splits many ids over several requests, because the length of a URL is limited', async () => {
    const ids = Array.from(
      { length: 1000 },
      (_, i) => `0193477c-7a55-7cc3-98a4-${String(i).padStart(12, '0')}`,
    );
    const server = await serve((request, response) => {
      const asked = new URL(request.url ?? '', 'http://host').searchParams.get('ids') ?? '';
      send(response, ...asked.split(',').map((id) => ({ ...back, id })));
    });
    const { events, given } = options(server.url, ids);

    await followCycles(given);

    expect(events.filter((each) => each.endsWith(' back'))).toHaveLength(1000);
    expect(server.asked.length).toBeGreaterThan(1);
    expect(Math.max(...server.asked.map((url) => url.length))).toBeLessThan(8000);
  });
});
