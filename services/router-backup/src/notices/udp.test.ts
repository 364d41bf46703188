import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { expect, it, onTestFinished, vi } from 'vitest';
import { UdpPort } from './udp.ts';

it('takes datagrams until their CPU time of this second is used up, and more in the next second', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  onTestFinished(() => void vi.useRealTimers());
  const seen: string[] = [];
  let usedMs = 0;
  const udp = new UdpPort({
    port: 0,
    onMessage(datagram) {
      seen.push(datagram.toString());
      // Each is cheap, or takes long.
      usedMs += datagram.toString().startsWith('slow') ? 60 : 0.01;
    },
    onError: () => undefined,
    cpuMs: () => usedMs,
  });
  await udp.open();
  onTestFinished(() => udp.close());
  const sender = createSocket('udp4');
  onTestFinished(() => void sender.close());
  sender.bind(0, '127.0.0.1');
  await once(sender, 'listening');
  const send = (text: string) =>
    new Promise((resolve) => sender.send(text, udp.port, '127.0.0.1', resolve));

  for (const text of ['quick', 'slow 1', 'slow 2', 'slow 3', 'quick']) await send(text);
  await expect.poll(() => udp.dropped).toBe(2);
  vi.advanceTimersByTime(1000);
  await send('later');
  await expect.poll(() => seen.at(-1)).toBe('later');

  expect(seen).toEqual(['quick', 'slow 1', 'slow 2', 'later']);
});
