import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, it, onTestFinished } from 'vitest';
import { startLocalProxy } from './local-proxy.ts';

it('answers with the reason why there is no tunnel', async () => {
  const open = () => Promise.reject(new Error('rack4: jumphost-rack4: connection refused'));

  expect(await statusLine(open)).toBe('HTTP/1.1 503 rack4: jumphost-rack4: connection refused');
});

it('gives up on a tunnel that does not come', async () => {
  async function open(_: string, signal: AbortSignal): Promise<never> {
    await once(signal, 'abort');
    throw new Error('rack4: no answer');
  }

  expect(await statusLine(open, 1)).toBe('HTTP/1.1 503 rack4: no answer');
});

async function statusLine(
  open: Parameters<typeof startLocalProxy>[0],
  patienceMs?: number,
): Promise<string | undefined> {
  const proxy = await startLocalProxy(open, patienceMs);
  onTestFinished(proxy.close);
  const { port, username, password } = new URL(proxy.url);
  const socket = connect(Number(port), '127.0.0.1');
  const login = Buffer.from(`${username}:${password}`).toString('base64');
  socket.write(`CONNECT rack4:6443 HTTP/1.1\r\nProxy-Authorization: Basic ${login}\r\n`);
  socket.write('Host: rack4\r\n\r\n');
  return (await text(socket)).split('\r\n')[0];
}
