import { createServer, type RequestListener } from 'node:http';
import { createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { listen } from '@skolo/base/testing';
import {
  DeviceBusy,
  DeviceRejected,
  DeviceTimeout,
  DeviceUnreachable,
  type HttpOptions,
  httpTo,
  SignInRejected,
} from '@skolo/equipment/transports';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { placeOf } from '../testing/http.ts';
import { depsWith, type Login, patient, rackDevice } from '../testing/outlets.ts';

async function listening(server: Server): Promise<{ host: string; port: number }> {
  return { host: '127.0.0.1', port: await listen(server) };
}

async function sendTo(
  at: { host: string; port: number },
  { login, ...options }: Partial<HttpOptions> & { login?: Login } = {},
) {
  const device = rackDevice('synaccess', placeOf(at));
  return httpTo(device, depsWith(login), { signIn: 'basic', ...options });
}

async function sendToWeb(listener: RequestListener, options?: Parameters<typeof sendTo>[1]) {
  return await sendTo(await listening(createServer(listener)), options);
}

async function sendToTcp(onSocket: (socket: Socket) => void) {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket.on('error', () => {}));
    onSocket(socket);
  });
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
  });
  return await sendTo(await listening(server));
}

describe('http', () => {
  it('sends a request and gives the answer', async () => {
    const seen = vi.fn();
    const send = await sendToWeb((request, response) => {
      const { method, url, headers } = request;
      request.on('data', (data) => seen(method, url, headers['content-type'], String(data)));
      request.on('end', () => response.end('done'));
    });

    const answer = await send(
      { method: 'PUT', path: '/a?$A3%201', headers: { 'content-type': 'text/plain' }, body: 'é' },
      patient(),
    );

    expect(answer).toMatchObject({ status: 200, body: 'done' });
    expect(seen).toHaveBeenCalledWith('PUT', '/a?$A3%201', 'text/plain', 'é');
  });

  it.each([
    [301, DeviceRejected, /redirect/],
    [400, DeviceRejected, /status 400: no such thing/],
    [401, SignInRejected, /requires a password/],
    [403, SignInRejected, /status 403/],
    [404, DeviceRejected, /status 404/],
    [429, DeviceBusy, /busy/],
    [500, DeviceRejected, /status 500/],
    [503, DeviceBusy, /busy/],
  ])('knows what status %i means', async (status, kind, message) => {
    const send = await sendToWeb(
      (_request, response) => {
        response.writeHead(status, { location: '/login' }).end('no such thing');
      },
      { reason: (body) => body },
    );

    const answer = send({ path: '/' }, patient());

    await expect(answer).rejects.toThrow(kind);
    await expect(answer).rejects.toThrow(message);
  });

  it('follows no redirect', async () => {
    const seen = vi.fn();
    const send = await sendToWeb((request, response) => {
      seen(request.url);
      response.writeHead(302, { location: '/other' }).end();
    });

    await expect(send({ path: '/here' }, patient())).rejects.toThrow(DeviceRejected);

    expect(seen.mock.calls).toEqual([['/here']]);
  });

  it('keeps the password out of what a device says of it, and the path out of messages', async () => {
    const send = await sendToWeb(
      (request, response) => response.writeHead(400).end(`what is ${request.url}?`),
      { login: { username: 'admin', password: 'joker' }, reason: (body) => body },
    );

    const error = await send({ path: '/cm?password=joker' }, patient()).catch(String);

    expect(error).toBe(
      'DeviceRejected: device-1: returned status 400: what is /cm?password=<secret>',
    );
  });

  it.each([
    ['bytes', 'x'.repeat(1024 * 1024 + 1), '1 MiB'],
    ['objects', `[${'{},'.repeat(10_000)}{}]`, '20,000 elements'],
    ['nested lists', '['.repeat(20_001), '20,000 elements'],
  ])('takes no more %s than it may', async (_what, body, most) => {
    const send = await sendToWeb((_request, response) => {
      response.on('error', () => {});
      response.end(body);
    });

    await expect(send({ path: '/' }, patient())).rejects.toThrow(`the response exceeds ${most}`);
  });

  it('knows what is not HTTP', async () => {
    const send = await sendToTcp((socket) => socket.end('220 ready\r\n'));

    const answer = send({ path: '/' }, patient());

    await expect(answer).rejects.toThrow(DeviceRejected);
    await expect(answer).rejects.toThrow(/not HTTP/);
  });

  it('says where nothing listens', async () => {
    const server = createTcpServer();
    const at = await listening(server);
    await new Promise((resolve) => server.close(resolve));
    const send = await sendTo(at);

    const answer = send({ path: '/secret' }, patient());

    await expect(answer).rejects.toThrow(DeviceUnreachable);
    await expect(answer).rejects.toThrow(
      `device-1: 127.0.0.1:${at.port}: nothing is listening there (connection refused)`,
    );
  });

  it.each([
    ['before', () => {}],
    [
      'in the middle of',
      (socket: Socket) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n1'),
    ],
  ])('ends in time when a device is silent %s its answer', async (_when, first) => {
    const closed = vi.fn();
    const send = await sendToTcp((socket) => {
      first(socket);
      socket.on('close', closed).resume();
    });

    const answer = send({ path: '/', timeoutMs: 50 }, patient());

    await expect(answer).rejects.toThrow(DeviceTimeout);
    await vi.waitFor(() => expect(closed).toHaveBeenCalled());
  });

  it('ends with the reason of its signal, also when that was given before', async () => {
    const why = new Error('enough');
    const send = await sendToTcp(() => {});
    const later = new AbortController();

    const answer = expect(send({ path: '/' }, later.signal)).rejects.toBe(why);
    later.abort(why);

    await answer;
    await expect(send({ path: '/' }, AbortSignal.abort(why))).rejects.toBe(why);
  });

  it('sends the token of the login where there is one', async () => {
    const seen = vi.fn();
    const send = await sendToWeb(
      (request, response) => {
        seen(request.headers.authorization);
        response.end();
      },
      { signIn: 'challenge', login: { token: 'abc' } },
    );

    await send({ path: '/' }, patient());

    expect(seen.mock.calls).toEqual([['Bearer abc']]);
  });

  it('sends nothing of the login where everybody may ask', async () => {
    const seen = vi.fn();
    const send = await sendToWeb(
      (request, response) => {
        seen(request.headers.authorization);
        response.end();
      },
      { login: { username: 'admin', password: 'joker' } },
    );

    await send({ path: '/', anonymous: true }, patient());
    await send({ path: '/' }, patient());

    expect(seen.mock.calls).toEqual([[undefined], ['Basic YWRtaW46am9rZXI=']]);
  });

  it('says that it knows no way to sign in that the device wants', async () => {
    const send = await sendToWeb(
      (_request, response) => {
        response.writeHead(401, { 'www-authenticate': 'Negotiate' }).end();
      },
      { signIn: 'challenge', login: { username: 'admin', password: 'joker' } },
    );

    await expect(send({ path: '/' }, patient())).rejects.toThrow(/unknown authentication scheme/);
  });

  it('needs an address', async () => {
    const send = httpTo(rackDevice('synaccess', {}), depsWith(), { signIn: 'basic' });

    await expect(send({ path: '/' }, patient())).rejects.toThrow(
      'rack.yaml does not specify its address',
    );
  });
});
