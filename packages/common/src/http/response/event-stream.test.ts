/** Streams of many callers, over real connections. */
import { createServer } from 'node:http';
import { join } from 'node:path';
import { route } from '@skolo/api';
import { listen } from '@skolo/base/testing';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { newToken } from '../../access/token-file.ts';
import { testApp } from '../../testing/test-app.ts';
import { createApp } from '../service-app.ts';

const api = {
  events: route({
    method: 'get',
    path: '/v1/events',
    summary: 'Events',
    role: 'view',
    events: { hello: z.string() },
    answers: { 200: undefined },
  }),
};

async function start() {
  const parts = await testApp('{ tokens: { file: tokens.yaml }, anonymousRead: [127.0.0.0/8] }');
  const file = join(parts.dir, 'tokens.yaml');
  const handlers = {
    events: () => ({
      status: 200 as const,
      follow: (send: (name: 'hello', data: string) => void) => {
        send('hello', 'you');
        return () => undefined;
      },
    }),
  };
  const port = await listen(createServer(createApp(parts.options, { api, handlers })));
  return {
    ...parts,
    newToken: (name: string) => newToken(file, { name, role: 'view', expiresInDays: 1 }),
    /** The answer, when its first event has arrived; `ended` is fulfilled with its end. */
    async open(token?: string) {
      const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
      const answer = await fetch(`http://127.0.0.1:${port}/v1/events`, { headers });
      const reader = answer.body?.getReader();
      await reader?.read();
      const ended = reader?.closed.catch(() => 'broken');
      return { status: answer.status, retryAfter: answer.headers.get('retry-after'), ended };
    },
  };
}

it('are shared: those of anonymous callers make room for an operator, who has ten tabs', async () => {
  const { open, newToken: token, metrics } = await start();
  const ann = await token('ann');
  const anonymous = await Promise.all(Array.from({ length: 200 }, () => open()));

  const late = await open();
  const tabs = await Promise.all(Array.from({ length: 20 }, () => open(ann)));
  const later = await open();

  expect(anonymous.map(({ status }) => status)).toEqual(Array(200).fill(200));
  expect([late.status, late.retryAfter]).toEqual([429, '10']);
  expect(tabs.map(({ status }) => status)).toEqual(Array(20).fill(200));
  expect(later.status).toBe(429);
  await Promise.all(anonymous.slice(0, 20).map(({ ended }) => ended));
  expect(await metrics.getSingleMetricAsString('skolo_access_limited_total')).toContain(
    '{limit="streams"} 2',
  );
});

it('of one name end for another one until both have as many', async () => {
  const { open, newToken: token } = await start();
  const [ann, bob] = [await token('ann'), await token('bob')];
  await Promise.all(Array.from({ length: 200 }, () => open(ann)));

  const statuses: number[] = [];
  for (let count = 0; count < 101; count += 1) statuses.push((await open(bob)).status);

  expect(statuses).toEqual([...Array(100).fill(200), 429]);
});
