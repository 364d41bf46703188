import { createServer } from 'node:http';
import { listen } from '@skolo/base/testing';
import { describe, expect, it } from 'vitest';
import { retriedWhenOverloaded } from './when-overloaded.ts';

/** A service that answers with these, and then with 200. */
async function service(...first: [status: number, retryAfter?: string][]) {
  const asked: (string | undefined)[] = [];
  const server = createServer(({ method }, response) => {
    asked.push(method);
    const [status, retryAfter] = first.shift() ?? [200];
    response.writeHead(status, retryAfter === undefined ? {} : { 'retry-after': retryAfter });
    response.end(`${asked.length}`);
  });
  const url = `http://127.0.0.1:${await listen(server)}/`;
  async function ask(method = 'GET') {
    const { signal } = new AbortController();
    const send = retriedWhenOverloaded(fetch);
    return (await send(url, { method, headers: {}, redirect: 'manual', signal })).status;
  }
  return { ask, asked };
}

describe('a request to an overloaded service', () => {
  it.each<[string, [number, string?][], string, number, number]>([
    ['that reads is sent once more', [[503, '0']], 'GET', 200, 2],
    [
      'is not sent a third time',
      [
        [503, '0'],
        [503, '0'],
      ],
      'GET',
      503,
      2,
    ],
    ['that changes something is not repeated', [[503, '0']], 'POST', 503, 1],
    ['is not repeated if it does not say when', [[503]], 'GET', 503, 1],
    ['is not repeated if that is later than a person waits', [[503, '60']], 'GET', 503, 1],
    ['is not repeated at a date', [[503, 'Sun, 29 Nov 2026 01:00:00 GMT']], 'GET', 503, 1],
    ['is not repeated after other errors', [[500, '0']], 'GET', 500, 1],
  ])('%s', async (_what, answers, method, status, count) => {
    const { ask, asked } = await service(...answers);

    expect(await ask(method)).toBe(status);
    expect(asked).toHaveLength(count);
  });
});
