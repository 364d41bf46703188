import { once } from 'node:events';
import { createServer } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { explainListenError, ListenError, listen } from './listen.ts';

const servers: ReturnType<typeof createServer>[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    if (!server.listening) continue;
    server.close();
    await once(server, 'close');
  }
});

function newServer() {
  const server = createServer((_request, response) => response.end('here'));
  servers.push(server);
  return server;
}

describe('listen', () => {
  it('takes IPv4 and IPv6 where no host is given', async () => {
    const port = await listen(newServer(), { port: 0, flag: '--port' });

    const answers = await Promise.all(
      ['127.0.0.1', '[::1]'].map(async (host) => (await fetch(`http://${host}:${port}`)).text()),
    );

    expect(answers).toEqual(['here', 'here']);
  });

  it('takes 0.0.0.0 on a computer without IPv6', async () => {
    const server = newServer();
    const real = server.listen.bind(server);
    function listenWithoutIpv6(options: { port: number; host: string }) {
      if (options.host !== '::') return real(options);
      const error = Object.assign(new Error('no IPv6'), { code: 'EAFNOSUPPORT' });
      queueMicrotask(() => server.emit('error', error));
      return server;
    }
    Object.assign(server, { listen: listenWithoutIpv6 });

    const port = await listen(server, { port: 0, flag: '--port' });

    expect(await (await fetch(`http://127.0.0.1:${port}`)).text()).toBe('here');
    await expect(fetch(`http://[::1]:${port}`)).rejects.toThrow();
  });

  it('takes only the given host', async () => {
    const port = await listen(newServer(), { port: 0, host: '127.0.0.1', flag: '--port' });

    expect(await (await fetch(`http://127.0.0.1:${port}`)).text()).toBe('here');
    await expect(fetch(`http://[::1]:${port}`)).rejects.toThrow();
  });

  it('says what to do when the port is taken', async () => {
    const port = await listen(newServer(), { port: 0, flag: '--port' });

    const second = listen(newServer(), { port, flag: '--metrics-port' });

    await expect(second).rejects.toThrow(ListenError);
    await expect(second).rejects.toThrow(
      `cannot listen on port ${port}: the port is in use; run ss -ltnp sport = :${port} to find the program that uses it, or set another port with --metrics-port`,
    );
  });

  it('says what to do when the address is not ours', async () => {
    const failure = listen(newServer(), { port: 0, host: '192.0.2.1', flag: '--port' });

    await expect(failure).rejects.toMatchObject({
      code: 'EADDRNOTAVAIL',
      message: expect.stringContaining('fix --host'),
    });
  });
});

it('explainListenError says how to get port 80', () => {
  expect(explainListenError('EACCES', { port: 80, flag: '--port' })).toBe(
    'cannot listen on port 80: ports below 1024 require root or the capability CAP_NET_BIND_SERVICE (AmbientCapabilities= in a systemd unit); alternatively, set a higher port with --port',
  );
});
