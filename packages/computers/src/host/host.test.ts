import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it, onTestFinished, vi } from 'vitest';
import { openHost } from './host.ts';

it('waits a minute for the connection of a host that is off, also where a command may take hours', async () => {
  let isOff = false;
  const host = await openHost({
    name: 'rpi-1',
    signal: new AbortController().signal,
    // As a tunnel does that connects again and again.
    async start(_command, signal) {
      if (isOff) await once(signal, 'abort').then(() => Promise.reject(signal.reason));
      return spawn('echo', ['0']);
    },
  });
  isOff = true;
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());

  const rejected = Promise.allSettled([
    host.write({ path: '/etc/x', content: 'x' }),
    host.run('sleep 1', { deadlineMs: 5000 }),
  ]);
  await vi.advanceTimersByTimeAsync(60_000);

  expect(await rejected).toMatchObject([
    { reason: { message: 'rpi-1: no response within 60 s; try again' } },
    { reason: { message: 'rpi-1: no response within 5 s; try again' } },
  ]);
});
