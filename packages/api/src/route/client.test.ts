import { getEventListeners } from 'node:events';
import {
  createServer,
  Server as HttpServer,
  type IncomingMessage,
  type RequestListener,
} from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import { text } from 'node:stream/consumers';
import { inspect } from 'node:util';
import { afterEach, describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import { metadataServerApi } from '../metadata-server.ts';
import { ApiError, ApiUnreachable } from './api-error.ts';
import { createClient } from './client.ts';
import { problemType } from './problem.ts';
import { route } from './route.ts';

const token = 'skolo_0123456789abcdef';
const Thing = z.object({ name: z.string(), at: z.iso.datetime() });
const api = {
  things: route({
    method: 'get',
    path: '/v1/things',
    summary: 'All things',
    role: 'anyone',
    query: z.object({ limit: z.coerce.number().optional(), tag: z.array(z.string()).optional() }),
    answers: { 200: z.object({ things: z.array(Thing) }) },
  }),
  thing: route({
    method: 'get',
    path: '/v1/things/{name}/of/{owner}',
    summary: 'A thing',
    role: 'anyone',
    params: z.object({ name: z.string(), owner: z.coerce.number() }),
    answers: { 200: Thing },
  }),
  change: route({
    method: 'post',
    path: '/v1/things',
    summary: 'Change things',
    role: 'operate',
    headers: z.object({ 'idempotency-key': z.string().optional() }),
    body: z.object({ why: z.string(), offSeconds: z.number().default(10) }),
    audits: {
      target: 'self',
      reason: 'body.why',
      input: ['body.offSeconds'],
      omits: ['headers.idempotency-key'],
    },
    answers: { 202: Thing, 204: undefined, 409: z.object({ holder: z.string() }) },
  }),
};

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    if (server instanceof HttpServer) server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

describe('the rack of a client', () => {
  const answering = async (rack: string | undefined, type = 'application/json') => {
    const asked: unknown[] = [];
    const url = await listening(
      createServer((request, response) => {
        asked.push(request.headers['x-skolo-rack']);
        response.writeHead(200, { 'content-type': type, ...(rack && { 'x-skolo-rack': rack }) });
        if (type === 'application/json') response.end('{"things":[]}');
        else response.flushHeaders();
      }),
    );
    return { url, asked };
  };

  it.each(['application/json', 'text/event-stream'])(
    'rejects an answer of another rack, also %s of a service that ignores the header',
    async (type) => {
      const { url, asked } = await answering('lab', type);
      const events = { thing: Thing };
      const follow = {
        method: 'get',
        path: '/v1/events',
        summary: '',
        events,
        role: 'anyone',
        answers: { 200: undefined },
      } as const;
      const client = createClient(
        { ...api, follow: route(follow) },
        { baseUrl: url, rack: 'berlin' },
      );

      const call = type === 'application/json' ? client.things() : client.follow();

      expect(await failure(call)).toMatchObject({
        status: 421,
        message: `${url}: this is rack lab, not berlin; check the service's address in rack.yaml, or use the rack.yaml of lab`,
      });
      expect(asked).toEqual(['berlin']);
    },
  );

  it.each([['berlin'], [undefined]])('accepts an answer of rack %s', async (rack) => {
    const { url } = await answering(rack);

    const call = createClient(api, { baseUrl: url, rack: 'berlin' }).things();

    expect(await call).toEqual({ things: [] });
  });

  it('compares nothing where no rack is meant', async () => {
    const { url, asked } = await answering('lab');

    expect(await createClient(api, { baseUrl: url }).things()).toEqual({ things: [] });
    expect(asked).toEqual([undefined]);
  });
});

describe('a call', () => {
  it('sends nothing that it does not need to', async () => {
    const { client, requests } = await serving({ json: { things: [] } });

    expect(await client.things()).toEqual({ things: [] });

    expect(requests).toEqual([
      { call: 'GET /v1/things', authorization: undefined, type: undefined, body: '' },
    ]);
  });

  it('encodes the parameters of the path and of the query', async () => {
    const { client, requests } = await serving({ json: { name: 'x', at: '2026-11-20T07:30:00Z' } });

    await client.thing({ params: { name: 'a/b ?#%$&é', owner: 7 } });
    await client
      .things({ query: { limit: 3, tag: ['a b', 'c&d'] } })
      .catch((error: unknown) => expect(error).toBeInstanceOf(ApiError));
    await client.things({ query: {} }).catch(() => undefined);

    expect(requests.map(({ call }) => call)).toEqual([
      'GET /v1/things/a%2Fb%20%3F%23%25%24%26%C3%A9/of/7',
      'GET /v1/things?limit=3&tag=a+b&tag=c%26d',
      'GET /v1/things',
    ]);
  });

  it.each(['', '.', '..'])('rejects %j as a part of the path', async (name) => {
    const { client, requests } = await serving({ json: {} });

    const call = client.thing({ params: { name, owner: 1 } });

    await expect(call).rejects.toThrow(
      `'${name}' is not a valid name for /v1/things/{name}/of/{owner}`,
    );
    expect(requests).toEqual([]);
  });

  it('sends its body as JSON, the token, and the headers that the route names', async () => {
    const { client, requests } = await serving({ status: 204 }, { token });
    const headers = { 'idempotency-key': 'k1' };

    expect(await client.change({ body: { why: 'it hangs – again' }, headers })).toBeUndefined();

    expect(requests).toEqual([
      {
        call: 'POST /v1/things',
        authorization: `Bearer ${token}`,
        key: 'k1',
        type: 'application/json',
        body: '{"why":"it hangs – again"}',
      },
    ]);
  });

  it('keeps the path of the base URL', async () => {
    const { url, requests } = await serving({ json: { things: [] } });
    await createClient(api, { baseUrl: `${url}/racks/rack4/` }).things();

    expect(requests[0]?.call).toBe('GET /racks/rack4/v1/things');
  });

  it('gives the answer as its schema makes it', async () => {
    const identity = {
      name: 'bots',
      project: 'p',
      scopes: [],
      lastSuccess: '2026-11-20T07:30:00Z',
    };
    const { url } = await serving({ json: { identities: [{ ...identity, newer: 'field' }] } });
    const client = createClient(metadataServerApi, { baseUrl: url });

    const { identities } = await client.identities();

    expect(identities).toEqual([identity]);
    expectTypeOf(identities[0]?.lastSuccess).toEqualTypeOf<string | undefined>();
  });

  it('goes through the fetch that it is given', async () => {
    const { client } = await serving(
      { json: {} },
      { fetch: async () => Response.json({ things: [] }) },
    );

    expect(await client.things()).toEqual({ things: [] });
  });
});

describe('a problem', () => {
  it('is an ApiError with all members of the problem', async () => {
    const problem = {
      type: 'about:blank',
      title: 'Conflict',
      status: 409,
      detail: 'ann is cycling it; wait for her, or ask her',
      holder: 'ann',
    };
    const { client, url } = await serving({
      ...problem,
      json: problem,
      type: 'application/problem+json',
    });

    const error = await failure(client.change({ body: { why: 'x' } }));

    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({
      code: 'API_ERROR',
      status: 409,
      problem,
      call: `POST ${url}/v1/things`,
      message: 'ann is cycling it; wait for her, or ask her',
    });
  });

  it.each([
    [404, 'no such path: /v1/things; check the path; /openapi.json lists all paths'],
    [405, '/v1/things: method POST is not allowed; use GET, HEAD, OPTIONS'],
  ])('with %i for the whole route says that the service is older', async (status, detail) => {
    const problem = { title: 'Problem', status, detail };
    const { client, url } = await serving({ status, json: problem, type: problemType });

    await expect(client.change({ body: { why: 'x' } })).rejects.toMatchObject({
      status: 501,
      message: `the service at ${url} is older than this skolo, and does not have POST /v1/things; upgrade it as in docs/change/new-version.md, or use the version of skolo that it has`,
    });
  });

  it.each([
    [404, 'no such thing: things', problemType],
    // Of a proxy.
    [405, 'no such path: /v1/things', 'text/html'],
  ])('with %i for a thing, or of another program, stays as it is', async (status, detail, type) => {
    const body = type === problemType ? JSON.stringify({ title: 'x', status, detail }) : detail;
    const { client } = await serving({ status, type, body });

    await expect(client.change({ body: { why: 'x' } })).rejects.toMatchObject({ status });
  });

  it.each([
    {
      status: 502,
      type: 'text/html',
      body: '<h1>Bad Gateway</h1>',
      title: 'Bad Gateway',
      said: 'text/html',
    },
    {
      status: 404,
      type: 'application/json',
      body: '{"a":1}',
      title: 'Not Found',
      said: 'application/json',
    },
    { status: 500, type: '', body: '', title: 'Internal Server Error', said: 'nothing' },
    {
      status: 599,
      type: 'text/plain; charset=utf-8',
      body: '',
      title: 'status 599',
      said: 'text/plain',
    },
  ])(
    'that is $status with "$type" is named as what it is',
    async ({ status, type, body, title, said }) => {
      const { client, url } = await serving({ status, type, body });

      await expect(client.things()).rejects.toMatchObject({
        status,
        problem: {
          type: 'about:blank',
          title,
          status,
          detail: `${url}: the response (${status}, ${said}) is not from this service; check the URL, and whether a proxy is intercepting requests`,
        },
      });
    },
  );

  it('includes redirects: the token goes nowhere else', async () => {
    const other = await serving({ json: { things: [] } });
    const { client } = await serving(
      { status: 307, headers: { location: `${other.url}/v1/things` } },
      { token },
    );

    await expect(client.things()).rejects.toMatchObject({ status: 307 });
    expect(other.requests).toEqual([]);
  });
});

describe('an unexpected response', () => {
  it.each([
    {
      name: 'a field of the wrong type',
      answer: {
        json: {
          things: [
            { name: 'a', at: '2026-11-20T07:30:00Z' },
            { name: 7, at: 'now' },
          ],
        },
      },
      detail:
        'things[1].name: Invalid input: expected string, received number; things[1].at: Invalid ISO datetime',
    },
    {
      name: 'another shape',
      answer: { json: [] },
      detail: 'Invalid input: expected object, received array',
    },
    {
      name: 'many errors',
      answer: { json: { things: [1, 2, 3, 4, 5] } },
      detail:
        'things[0]: Invalid input: expected object, received number; things[1]: Invalid input: expected object, received number; things[2]: Invalid input: expected object, received number; and 2 more',
    },
    {
      name: 'no JSON',
      answer: { body: '<html>', type: 'text/html' },
      detail: 'the response is not JSON, or too large',
    },
    { name: 'no body', answer: { body: '' }, detail: 'the response is not JSON, or too large' },
    {
      name: 'a status of another route',
      answer: { status: 201, json: { things: [] } },
      detail: 'unexpected status: 201, not 200',
    },
  ])('such as $name is an ApiError with the place', async ({ answer, detail }) => {
    const { client, url } = await serving(answer);

    const error = await failure(client.things());

    const whole = `${url}: ${detail}; check that the client and the service have the same version`;
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({
      status: answer.status ?? 200,
      problem: { title: 'unexpected response', detail: whole },
      call: `GET ${url}/v1/things`,
      message: whole,
    });
  });
});

describe('no answer', () => {
  it('reports that the connection is refused', async () => {
    const { url, close } = await serving({});
    await close();

    const error = await failure(createClient(api, { baseUrl: url }).things());

    expect(error).toBeInstanceOf(ApiUnreachable);
    expect(error).toMatchObject({
      code: 'API_UNREACHABLE',
      url,
      mayHaveArrived: false,
      message: `${url}: connection refused; check that the service is running and that this is its port (ECONNREFUSED)`,
    });
  });

  it.each([
    {
      name: 'hangs up',
      bytes: '',
      message: 'the connection was closed before the response was complete (UND_ERR_SOCKET)',
    },
    {
      name: 'stops in the middle',
      bytes: 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{',
      message: 'the connection was closed before the response was complete (UND_ERR_SOCKET)',
    },
    {
      name: 'speaks something else',
      bytes: 'SSH-2.0-OpenSSH_9.2\r\n',
      message: 'the response is not HTTP; this may be an https:// port (HTTPParserError)',
    },
  ])('reports a server that $name', async ({ bytes, message }) => {
    const server = createTcpServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => socket.end(bytes));
    });
    const url = await listening(server);

    await expect(createClient(api, { baseUrl: url }).things()).rejects.toThrow(
      new RegExp(`^${escaped(`${url}: ${message}`)}$`),
    );
  });

  it('reports a server without TLS', async () => {
    const { url } = await serving({});
    const client = createClient(api, { baseUrl: url.replace('http:', 'https:') });

    await expect(client.things()).rejects.toThrow('does not use TLS; try http://');
  });

  it('reports an unknown host name', async () => {
    const client = createClient(api, {
      baseUrl: 'http://rack4:9210',
      fetch: async () => {
        const cause = Object.assign(new Error('getaddrinfo'), { code: 'ENOTFOUND' });
        throw new TypeError('fetch failed', { cause });
      },
    });

    await expect(client.things()).rejects.toThrow(
      'http://rack4:9210: the host name is unknown; check the URL (ENOTFOUND)',
    );
  });

  it('in time is ApiUnreachable, be it the whole answer or its end that is missing', async () => {
    const silent = await serving({ never: 'answer' });
    const slow = await serving({ never: 'end' });

    for (const { url } of [silent, slow]) {
      const client = createClient(api, { baseUrl: url, timeoutMs: 50 });
      const error = await failure(client.things());
      expect(error).toBeInstanceOf(ApiUnreachable);
      expect(String(error)).toBe(`ApiUnreachable: ${url}: no response within 0.05 s`);
    }
    const { url } = silent;
    const patient = createClient(api, { baseUrl: url, timeoutMs: 60_000 });
    await expect(patient.things({ timeoutMs: 20 })).rejects.toThrow('no response within 0.02 s');
  });

  it('because the caller gave up is the caller’s own reason', async () => {
    const { client, arrived } = await serving({ never: 'answer' });
    const caller = new AbortController();
    const reason = new Error('enough');

    const call = client.things({ signal: caller.signal });
    await arrived;
    caller.abort(reason);

    await expect(call).rejects.toBe(reason);
    await expect(client.things({ signal: caller.signal })).rejects.toBe(reason);
  });

  it('leaves no listener on the signal of a caller that makes many calls', async () => {
    const { client } = await serving({ json: { things: [] } });
    const { signal } = new AbortController();

    for (let call = 0; call < 3; call += 1) await client.things({ signal });

    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });
});

describe('createClient', () => {
  it.each([
    'rack4:9210',
    'ftp://rack4',
    '/v1',
    '',
    'http://ann:hunter2@rack4',
    'http://rack4/?token=hunter2',
    'http://rack4/#hunter2',
  ])('rejects the URL %j without showing it', (baseUrl) => {
    const create = () => createClient(api, { baseUrl });

    expect(create).toThrow(/^the service URL must/);
    expect(create).not.toThrow(/hunter2|rack4/);
  });

  it.each(['hunter2\n', 'hunter 2', 'hünter2', ''])(
    'rejects the token %j without showing it',
    (bad) => {
      const create = () => createClient(api, { baseUrl: 'http://rack4', token: bad });

      expect(create).toThrow('the token contains characters that are not allowed in HTTP headers');
      expect(create).not.toThrow(/h.nter/);
    },
  );

  it('never puts the token into an error', async () => {
    const { url, close } = await serving({ status: 401, body: '' });
    const client = createClient(api, { baseUrl: url, token });
    const rejected = await failure(client.things());
    await close();
    const unreachable = await failure(client.things());

    for (const error of [rejected, unreachable]) {
      expect(error).toBeInstanceOf(Error);
      expect(inspect(error, { depth: null, showHidden: true })).not.toContain(token);
    }
  });
});

interface Answer {
  status?: number;
  type?: string;
  json?: unknown;
  body?: string;
  headers?: Record<string, string>;
  never?: 'answer' | 'end';
}

async function serving(answer: Answer, options: { token?: string; fetch?: typeof fetch } = {}) {
  const requests: Noted[] = [];
  let arrive: () => void = () => undefined;
  const arrived = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  const listener: RequestListener = (request, response) => {
    void noted(request).then((noticed) => {
      requests.push(noticed);
      arrive();
      if (answer.never === 'answer') return;
      const type = answer.type ?? 'application/json';
      response.writeHead(answer.status ?? 200, {
        ...(type !== '' && { 'content-type': type }),
        ...answer.headers,
      });
      if (answer.never === 'end') response.write('{');
      else response.end(answer.json === undefined ? answer.body : JSON.stringify(answer.json));
    });
  };
  const server = createServer(listener);
  const url = await listening(server);
  return {
    url,
    requests,
    arrived,
    client: createClient(api, { baseUrl: url, ...options }),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

type Noted = Awaited<ReturnType<typeof noted>>;

async function noted(request: IncomingMessage) {
  const key = request.headers['idempotency-key'];
  return {
    ...(key !== undefined && { key }),
    call: `${request.method} ${request.url}`,
    authorization: request.headers.authorization,
    type: request.headers['content-type'],
    body: await text(request),
  };
}

async function listening(server: Server): Promise<string> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function failure(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => undefined,
    (error: unknown) => error,
  );
}

function escaped(message: string) {
  return message.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
