import { once } from 'node:events';
import { request } from 'node:http';
import { connect, createServer } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { startForward } from './service-forward.ts';

/** Source: RFC 8446, 5.1. */
const handshake = 0x16;

it.each([
  ['https', handshake],
  ['http', 'G'.charCodeAt(0)],
])('speaks %s to the service', async (scheme, firstByte) => {
  const received: (number | undefined)[] = [];
  const service = createServer((socket) => {
    socket.once('data', ([first]) => {
      received.push(first);
      socket.destroy();
    });
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void service.close());
  await once(service, 'listening');
  const address = service.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  const forward = await startForward(new URL(`${scheme}://machine-state.example`), async () =>
    connect(port, '127.0.0.1'),
  );
  onTestFinished(forward.close);

  const local = new URL(forward.url);
  const asked = request({ port: local.port, host: '127.0.0.1', headers: { host: local.host } });
  asked.end();
  const [{ statusCode }] = await once(asked, 'response');

  expect({ statusCode, received }).toEqual({ statusCode: 502, received: [firstByte] });
});
