import { readFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { peer } from '@skolo/simulators';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { parseWrk, wrk } from './wrk.ts';

const wrkIsHere = peer('wrk') !== undefined;
const missing = 'wrk is not installed';

function printed(name: string): string {
  return readFileSync(new URL(`../testdata/${name}.txt`, import.meta.url), 'utf8');
}

async function serve(handler: RequestListener): Promise<string> {
  const server = createServer(handler).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

describe('what wrk prints', () => {
  it('without errors', () => {
    expect(parseWrk(printed('wrk-clean'))).toEqual({
      requests: 145827,
      requestsPerSecond: 69440.34,
      latency: { p50: 0.112, p75: 0.172, p90: 0.247, p99: 2.53, max: 15.19 },
      socketErrors: { connect: 0, read: 0, write: 0, timeout: 0 },
      badStatuses: 0,
    });
  });

  it('with times of seconds, which it pads', () => {
    expect(parseWrk(printed('wrk-seconds')).latency).toEqual({
      p50: 2.83,
      p75: 36.21,
      p90: 384.68,
      p99: 1030,
      max: 1270,
    });
  });

  it('with answers that are not 2xx', () => {
    expect(parseWrk(printed('wrk-bad-statuses'))).toMatchObject({
      requests: 150738,
      badStatuses: 75369,
    });
  });

  it('with socket errors', () => {
    expect(parseWrk(printed('wrk-socket-errors')).socketErrors).toEqual({
      connect: 0,
      read: 14875,
      write: 0,
      timeout: 0,
    });
  });

  it('without a single answer', () => {
    expect(parseWrk(printed('wrk-no-answer'))).toMatchObject({ requests: 0, requestsPerSecond: 0 });
  });

  it.each([
    ['900.00us', 0.9],
    ['1.02s', 1020],
    ['2.00m', 120_000],
    ['1.00h', 3_600_000],
  ])('%s as a time', (text, milliseconds) => {
    const output = printed('wrk-clean').replace('2.53ms', text);

    expect(parseWrk(output).latency.p99).toBe(milliseconds);
  });

  it('when it is something else', () => {
    expect(() => parseWrk('unable to connect to 127.0.0.1:1 Connection refused')).toThrow(
      'wrk did not print',
    );
    expect(() => parseWrk(printed('wrk-clean').replace('2.53ms', '-nan'))).toThrow(
      'wrk printed -nan for a time',
    );
  });
});

describe('wrk', () => {
  it('loads a server, with headers', async (context) => {
    if (!wrkIsHere) return context.skip(missing);
    const flavors = new Set<string | undefined>();
    let requests = 0;
    const url = await serve((request, response) => {
      requests += 1;
      flavors.add(request.headers['metadata-flavor']?.toString());
      response.end('token');
    });

    const result = await wrk({
      url,
      connections: 4,
      seconds: 1,
      headers: { 'Metadata-Flavor': 'Google' },
    });

    expect(result.requests).toBeGreaterThan(0);
    expect(result.requests).toBeLessThanOrEqual(requests);
    expect([...flavors]).toEqual(['Google']);
  });

  it('gives no figure for a server that rejects', async (context) => {
    if (!wrkIsHere) return context.skip(missing);
    const url = await serve((_request, response) => {
      response.statusCode = 429;
      response.end();
    });

    await expect(wrk({ url, connections: 1, seconds: 1 })).rejects.toThrow(
      /: (\d+) of \1 answers were not 2xx$/,
    );
  });

  it('gives no figure for a server that breaks connections', async (context) => {
    if (!wrkIsHere) return context.skip(missing);
    let requests = 0;
    const url = await serve((request, response) => {
      requests += 1;
      if (requests % 2 === 0) request.socket.destroy();
      else response.end('token');
    });

    await expect(wrk({ url, connections: 1, seconds: 1 })).rejects.toThrow(/\d+ read errors$/);
  });

  it('gives no figure for a server that never answers', async (context) => {
    if (!wrkIsHere) return context.skip(missing);
    const url = await serve(() => {});

    await expect(wrk({ url, connections: 1, seconds: 1 })).rejects.toThrow('no answer at all');
  });

  it('names what to install', async () => {
    vi.stubEnv('PATH', '/nowhere');

    await expect(wrk({ url: 'http://127.0.0.1/', connections: 1, seconds: 1 })).rejects.toThrow(
      'wrk is not installed (Debian: apt-get install wrk)',
    );
    vi.unstubAllEnvs();
  });
});
