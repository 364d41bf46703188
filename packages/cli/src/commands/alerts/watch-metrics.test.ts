import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, it, onTestFinished } from 'vitest';
import { startWatchMetrics } from './watch-metrics.ts';

it.each([
  [431, Array(1000).fill('a:b')],
  [400, ['Host: evil.example']],
  [200, []],
])('the metrics of a watch answer %i to headers that Node would drop', async (status, headers) => {
  const { port, close } = await startWatchMetrics(0, () => {
    throw new TypeError('not asked for');
  });
  onTestFinished(close);
  const socket = connect(port, '127.0.0.1');
  const head = ['GET /healthz HTTP/1.1', 'Host: 127.0.0.1', ...headers, 'Connection: close'];
  socket.write([...head, '', ''].join('\r\n'));

  expect(await text(socket)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
});
