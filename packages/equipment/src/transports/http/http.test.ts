/** What firmware makes of HTTP, over real sockets. */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { Secret } from '@skolo/base/secrets';
import { describe, expect, it, vi } from 'vitest';
import { DeviceRejected, DeviceUnreachable, SignInRejected } from '../errors.ts';
import { deps } from '../testing/targets.ts';
import { startTcpServer } from '../testing/tcp-server.ts';
import { type HttpOptions, httpTo } from './http.ts';

type Answer = (request: string, socket: Socket, count: number) => string | Buffer | undefined;

/** A device that answers each request; `step`: so many bytes a packet. */
async function device(answer: Answer, options: Partial<HttpOptions> = {}, step = 0) {
  const requests: string[] = [];
  const serve = async (socket: Socket) => {
    let text = '';
    while (!/\r\n\r\n/.test(text)) {
      const [data] = await once(socket, 'data');
      text += String(data);
    }
    requests.push(text);
    const answered = answer(text, socket, requests.length) ?? '';
    const bytes = typeof answered === 'string' ? Buffer.from(answered, 'latin1') : answered;
    for (let at = 0; step > 0 && at < bytes.length; at += step) {
      socket.write(bytes.subarray(at, at + step));
      await new Promise((resolve) => setImmediate(resolve));
    }
    if (step > 0) socket.end();
    else socket.end(bytes);
  };
  const server = await startTcpServer((socket) => void serve(socket).catch(() => undefined));
  const login = { username: 'root', password: new Secret('calvin'), legacySsh: false };
  const { hostKeys } = await deps();
  const endpoint = { name: 'bmc-1', address: '127.0.0.1', ports: { http: server.port } };
  const access = { hostKeys, credentials: async () => login };
  const send = httpTo(endpoint, access, { signIn: 'basic', timeoutSeconds: 120, ...options });
  return { send, requests, server };
}

const { signal } = new AbortController();
const lines = (...parts: string[]) => parts.join('\n');

describe('a response', () => {
  const chunked = 'Transfer-Encoding: chunked';
  const cases: [string, string][] = [
    ['with LF alone', lines('HTTP/1.1 200 OK', 'Content-Length: 2', '', 'on')],
    ['with LF alone, to its end', lines('HTTP/1.0 200 OK', 'Connection: close', '', 'on')],
    ['with LF alone, no reason', lines('HTTP/1.1 200', 'Content-Length: 2', '', 'on')],
    ['with either', 'HTTP/1.1 200 OK\r\nContent-Length: 2\n\r\non'],
    ['with either, otherwise', 'HTTP/1.1 200 OK\nContent-Length: 2\r\n\non'],
    ['in chunks with LF', lines('HTTP/1.1 200 OK', chunked, '', '1', 'o', '1', 'n', '0', '', '')],
    ['in chunks with either', `HTTP/1.1 200 OK\r\n${chunked}\r\n\r\n2\non\r\n0\r\n\n`],
    [
      'in chunks with blanks',
      `HTTP/1.1 200 OK\r\n${chunked}\r\n\r\n2  \r\non\r\n0\t;a="b"\r\n\r\n`,
    ],
    [
      'in chunks with a trailer',
      lines('HTTP/1.1 200 OK', chunked, '', '2', 'on', '0', 'x: y', '', ''),
    ],
    [
      'with a continued field',
      lines('HTTP/1.1 200 OK', 'A: b', '  c', '\td', 'Content-Length: 2', '', 'on'),
    ],
    [
      'after 100 Continue',
      lines('HTTP/1.1 100 Continue', '', 'HTTP/1.1 200 OK', 'Content-Length: 2', '', 'on'),
    ],
    [
      'before something else',
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\non\r\n\0\0HTTP/1.1 500 No\r\n\r\n',
    ],
    ['with a byte order mark', 'HTTP/1.1 200 OK\n\n\xef\xbb\xbfon'],
  ];

  it.each(cases)('%s is read, whole or byte by byte', async (_what, text) => {
    for (const step of [0, 1]) {
      const { send } = await device(() => text, {}, step);
      expect(await send({ path: '/' }, signal)).toMatchObject({ status: 200, body: 'on' });
    }
  });

  it('that nobody asked to compress is read', async () => {
    const head = Buffer.from('HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n');
    const { send } = await device(() => Buffer.concat([head, gzipSync('on')]));

    expect(await send({ path: '/' }, signal)).toMatchObject({ status: 200, body: 'on' });
  });

  it.each([
    ['a bomb', gzipSync(Buffer.alloc(8 * 2 ** 20)), /exceeds 1 MiB/],
    ['more objects than sense', gzipSync('[{},'.repeat(50_000)), /exceeds 20,000 elements/],
    ['not compressed', Buffer.from('on'), /decompressed/],
  ])('that is compressed and %s is rejected', async (_what, body, message) => {
    const head = Buffer.from('HTTP/1.1 200 OK\nContent-Encoding: GZIP\n\n');
    const { send } = await device(() => Buffer.concat([head, body]));

    await expect(send({ path: '/' }, signal)).rejects.toThrow(message);
    await expect(send({ path: '/' }, signal)).rejects.toBeInstanceOf(DeviceRejected);
  });

  it.each([
    ['a cut body', 'HTTP/1.1 200 OK\nContent-Length: 20\n\non', DeviceUnreachable],
    ['a cut chunk', `HTTP/1.1 200 OK\n${chunked}\n\n4\non`, DeviceUnreachable],
    ['a missing last chunk', `HTTP/1.1 200 OK\n${chunked}\n\n2\non\n`, DeviceUnreachable],
    ['a cut header', 'HTTP/1.1 200 OK\nContent-Le', DeviceUnreachable],
    ['a chunk of another size', `HTTP/1.1 200 OK\n${chunked}\n\n1\non\n0\n\n`, DeviceUnreachable],
    ['a size that is none', `HTTP/1.1 200 OK\n${chunked}\n\nzz\non\n0\n\n`, DeviceUnreachable],
    ['two lengths', 'HTTP/1.1 200 OK\nContent-Length: 1\nContent-Length: 2\n\non', DeviceRejected],
    ['CR alone', 'HTTP/1.1 200 OK\rContent-Length: 2\r\ron', DeviceRejected],
    ['no HTTP', '220 ready\n', DeviceRejected],
    ['an endless line', `HTTP/1.1 200 OK\nA: ${'x'.repeat(100_000)}`, DeviceRejected],
    ['an endless field', `HTTP/1.1 200 OK\nA: b\n${' c\n'.repeat(50_000)}`, DeviceRejected],
    ['only empty lines', '\n'.repeat(6 * 2 ** 20), DeviceUnreachable],
    [
      'more chunks than sense',
      `HTTP/1.1 200 OK\n${chunked}\n\n${'1\nx\n'.repeat(100_000)}`,
      DeviceUnreachable,
    ],
    ['only interim ones', 'HTTP/1.1 100 Continue\n\n'.repeat(20_000), DeviceUnreachable],
    ['a cut rejection', 'HTTP/1.1 401 No\nContent-Length: 20\n\nNo', SignInRejected],
    ['a rejection in cut chunks', `HTTP/1.1 401 No\n${chunked}\n\n2\nNo\n`, SignInRejected],
  ])('with %s is an error', async (_what, text, kind) => {
    const { send } = await device(() => text);

    await expect(send({ path: '/' }, signal)).rejects.toBeInstanceOf(kind);
  });
});

describe('a redirect', () => {
  const path = '/redfish/v1/Systems/1';
  const to = (status: number, location: string) =>
    `HTTP/1.1 ${status} Moved\r\nLocation: ${location}\r\nContent-Length: 0\r\n\r\n`;
  const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\non';

  it.each([
    [308, 'GET', `${path}/`],
    [307, 'POST', `${path}/`],
    [308, 'PATCH', '1/'],
    [301, 'GET', 'http://127.0.0.1:PORT/redfish/v1/Systems/1/'],
    [302, 'GET', '//127.0.0.1:PORT/redfish/v1/Systems/1/'],
  ] as const)('%i of a %s to %s is followed', async (status, method, location) => {
    const { send, requests, server } = await device((request) =>
      request.startsWith(`${method} ${path}/`)
        ? ok
        : to(status, location.replace('PORT', String(server.port))),
    );

    const body = method === 'GET' ? {} : { body: '{"ResetType":"On"}' };
    expect(await send({ method, path, ...body }, signal)).toMatchObject({
      status: 200,
      body: 'on',
    });

    expect(requests.map((request) => request.split(' HTTP')[0])).toEqual([
      `${method} ${path}`,
      `${method} ${path}/`,
    ]);
    expect(requests[1]).toContain('Basic ');
  });

  it('keeps the query, and signs the new path', async () => {
    const challenge = 'Digest realm="r", nonce="n", qop="auth"';
    const { send, requests } = await device(
      (request) => {
        if (!request.startsWith('GET /a/?')) return to(308, '/a/?b=/c');
        return request.includes('uri="/a/?b=/c"')
          ? ok
          : `HTTP/1.1 401 No\nWWW-Authenticate: ${challenge}\nContent-Length: 0\n\n`;
      },
      { signIn: 'digest' },
    );

    expect(await send({ path: '/a?b=/c' }, signal)).toMatchObject({ status: 200, body: 'on' });
    expect(requests).toHaveLength(3);
  });

  it.each([
    ['another host', 308, 'GET', 'http://127.0.0.2:PORT/redfish/v1/Systems/1/'],
    ['another name of it', 308, 'GET', 'http://localhost:PORT/redfish/v1/Systems/1/'],
    ['another port', 308, 'GET', 'http://127.0.0.1:1/redfish/v1/Systems/1/'],
    ['https', 308, 'GET', 'https://127.0.0.1:PORT/redfish/v1/Systems/1/'],
    ['another host without a scheme', 308, 'GET', '//evil/redfish/v1/Systems/1/'],
    ['another path', 308, 'GET', '/redfish/v1/Systems/2/'],
    ['itself', 308, 'GET', path],
    ['two slashes', 308, 'GET', `${path}//`],
    ['nowhere', 308, 'GET', 'http://['],
    ['what a client would read', 301, 'POST', `${path}/`],
    ['what a client would read', 302, 'PATCH', `${path}/`],
    ['a result', 303, 'POST', `${path}/`],
  ] as const)('to %s (%i, %s) is rejected', async (_what, status, method, location) => {
    const { send, requests, server } = await device(() =>
      to(status, location.replace('PORT', String(server.port))),
    );

    await expect(send({ method, path }, signal)).rejects.toThrow(/returned a redirect/);
    expect(requests).toHaveLength(1);
  });

  it('is followed once', async () => {
    const { send, requests } = await device((request) => to(308, `${request.split(' ')[1]}/`));

    await expect(send({ path }, signal)).rejects.toThrow(DeviceRejected);
    expect(requests).toHaveLength(2);
  });
});

describe('digest', () => {
  const challenge = (nonce: string, more = '') =>
    `HTTP/1.1 401 No\nWWW-Authenticate: Digest realm="shelly", qop="auth", nonce="${nonce}", algorithm=SHA-256${more}\nContent-Length: 0\n\n`;

  it('answers once more if only the nonce was too old, whose padding is part of it', async () => {
    const { send, requests } = await device(
      (request, _socket, count) => {
        if (count === 1) return challenge('AAAA==');
        if (!request.includes('nonce="BBBB=="')) return challenge('BBBB==', ', stale=TRUE');
        return 'HTTP/1.1 200 OK\n\non';
      },
      { signIn: 'digest' },
    );

    expect(await send({ path: '/rpc/Shelly.GetStatus' }, signal)).toMatchObject({ body: 'on' });
    expect(requests[1]).toContain('nonce="AAAA=="');
    expect(requests.slice(1).every((request) => request.includes('nc=00000001'))).toBe(true);
  });

  it.each([
    ['is always too old', challenge('A', ', stale=true'), 3],
    ['falls back to Basic', 'HTTP/1.1 401 No\nWWW-Authenticate: Basic realm="stale=true"\n\n', 2],
  ])('never sends the password where the device %s', async (_what, answer, count) => {
    const { send, requests } = await device(
      (_request, _socket, nth) => (nth === 1 ? challenge('A') : answer),
      { signIn: 'challenge' },
    );

    await expect(send({ path: '/' }, signal)).rejects.toThrow(SignInRejected);
    expect(requests).toHaveLength(count);
    expect(requests.join('')).not.toContain('Basic');
  });
});

describe('a device that requires a version', () => {
  const refused = (status: number) => `HTTP/1.1 ${status} No\r\nContent-Length: 0\r\n\r\n`;
  const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\non';

  it.each([
    [428, '"abc"', '"abc"'],
    [412, 'W/"abc"', 'W/"abc"'],
    [428, 'W/"abc"', '"abc"'],
    [412, '""abc""', '"abc"'],
    [428, 'W/"abc"', '*'],
    [428, undefined, '*'],
  ])('(%i, %s) gets %s', async (status, etag, accepted) => {
    const { send, requests } = await device((request) => {
      if (request.startsWith('GET')) return etag ? ok.replace('\r\n', `\r\nETag: ${etag}\r\n`) : ok;
      return request.toLowerCase().includes(`if-match: ${accepted}`.toLowerCase())
        ? ok
        : refused(status);
    });

    const answer = send({ method: 'PATCH', path: '/Accounts/1', body: '{}' }, signal);

    expect(await answer).toMatchObject({ status: 200, body: 'on' });
    expect(requests[1]).toMatch(/^GET \/Accounts\/1 /);
  });

  it('is asked for it in the same session', async () => {
    const { send } = await device(
      (request) => {
        if (!/^X-Auth-Token: abc\r$/m.test(request)) return refused(401);
        if (request.startsWith('GET')) return ok.replace('\r\n', '\r\nETag: "1"\r\n');
        return /^If-Match: "1"\r$/m.test(request) ? ok : refused(428);
      },
      { signIn: 'by-driver' },
    );
    const session = new Secret('abc');

    const answer = send({ method: 'PATCH', path: '/Accounts/1', body: '{}', session }, signal);

    expect(await answer).toMatchObject({ status: 200 });
  });

  it('of another form is rejected in the end', async () => {
    const { send, requests } = await device(() => refused(412));

    const answer = send({ method: 'PATCH', path: '/Accounts/1', body: '{}' }, signal);

    await expect(answer).rejects.toThrow(/status 412/);
    expect(requests).toHaveLength(3);
  });
});

describe('a request', () => {
  it('has header names as other clients write them', async () => {
    const { send, requests } = await device(
      (request) =>
        /^Authorization: Basic cm9vdDpjYWx2aW4=\r$/m.test(request)
          ? 'HTTP/1.1 200 OK\n\non'
          : 'HTTP/1.1 401 No\nWWW-Authenticate: Basic\n\n',
      { headers: { accept: 'text/plain', 'x-api-key': 'k', SOAPAction: 'a' } },
    );

    await send({ method: 'POST', path: '/', json: {} }, signal);

    const names = requests[0]?.match(/^[\w-]+(?=: )/gm);
    expect(names?.filter((name) => /(?:^|-)[a-z]/.test(name))).toEqual([]);
    expect(names).toEqual(expect.arrayContaining(['Content-Type', 'X-Api-Key', 'SOAPAction']));
  });

  it('is signed by digest where Basic is not offered, and from then on only so', async () => {
    const challenge = 'Digest realm="r", nonce="n", qop="auth"';
    const { send, requests } = await device((request) =>
      /^Authorization: Digest /m.test(request)
        ? 'HTTP/1.1 200 OK\n\non'
        : `HTTP/1.1 401 No\nWWW-Authenticate: ${challenge}\n\n`,
    );

    for (const _ of [1, 2]) expect((await send({ path: '/' }, signal)).body).toBe('on');

    expect(requests.map((request) => request.includes('Basic '))).toEqual([
      true,
      false,
      false,
      false,
    ]);
  });

  it.each([
    ['WWW-Authenticate: Negotiate\nWWW-Authenticate: X-Token', /scheme \(negotiate or x-token\)/],
    ['WWW-Authenticate: Digest realm="r", nonce="n", algorithm=MD5-sess', /scheme \(digest\)/],
    ['WWW-Authenticate: Basic realm="r"', /rejects the password in its login/],
    ['Server: x', /rejects the password in its login/],
  ])('answered by 401 with %s tells what is wrong', async (header, message) => {
    const { send, requests } = await device(() => `HTTP/1.1 401 No\n${header}\n\n`);

    const answer = send({ path: '/' }, signal);

    await expect(answer).rejects.toBeInstanceOf(SignInRejected);
    await expect(answer).rejects.toThrow(message);
    expect(requests).toHaveLength(1);
  });

  it.each([
    ['$A0,11111', /HTTP\/0\.9 is not supported/],
    ['<html>\n<body>on</body>\n</html>\n', /HTTP\/0\.9 is not supported/],
    ['SSH-2.0-dropbear\r\n', /but SSH; check the port/],
    [Buffer.from('15030100020246', 'hex'), /but TLS; it requires https/],
    ['HTTP/1.1 400 No\n\nThe plain HTTP request was sent to HTTPS port', /requires https/],
    ['HTTP/1.0 400 No\n\nClient sent an HTTP request to an HTTPS server.\n', /requires https/],
    ['HTTP/x 200 OK\n\n', /the response is not HTTP$/],
    ['HTTP/1.1 403 No\n\n', /rejects its login, or does not allow it to do this/],
  ])('answered by %j tells what the device speaks', async (answer, message) => {
    const { send } = await device(() => answer);

    await expect(send({ path: '/' }, signal)).rejects.toThrow(message);
  });
});

it('a device that does not respond leaves no unhandled error', async () => {
  const thrown = vi.fn();
  process.on('unhandledRejection', thrown);
  const { send } = await device((_request, socket) => void socket.resetAndDestroy());

  await expect(send({ path: '/' }, signal)).rejects.toBeInstanceOf(DeviceUnreachable);
  await expect(send({ path: '/', timeoutMs: 1 }, signal)).rejects.toThrow();
  await new Promise((resolve) => setTimeout(resolve, 20));

  process.off('unhandledRejection', thrown);
  expect(thrown).not.toHaveBeenCalled();
});
