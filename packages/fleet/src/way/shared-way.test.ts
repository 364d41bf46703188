import { stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { listen, tempDir, untilTestEnds } from '@skolo/base/testing';
import { expect, it } from 'vitest';
import { fetchBySharedWay, shareWay } from './shared-way.ts';
import type { Open } from './ssh/tunnel-fetch.ts';

async function start(open: Open) {
  const folder = await tempDir();
  return untilTestEnds(await shareWay({ folder, connect: open }));
}

it('serves requests by a way that another process has, marked as forwarded', async () => {
  const server = createServer(({ headers }, response) => response.end(headers['x-forwarded-for']));
  const port = await listen(server);
  const asked: string[] = [];
  const { file } = await start(async (host, to) => {
    asked.push(`${host}:${to}`);
    return connect(port, '127.0.0.1');
  });

  const fetchThere = await fetchBySharedWay(file);
  const answers = ['http://metadata/', 'http://[fd00::8]:9210/v1'].map(async (url) =>
    (await fetchThere?.(url))?.text(),
  );

  expect(await Promise.all(answers)).toEqual(['unknown', 'unknown']);
  expect(asked.sort()).toEqual(['fd00::8:9210', 'metadata:80']);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
});

it('says why there is no way', async () => {
  const { file } = await start(() => Promise.reject(new Error('rack4: no answer')));

  const fetchThere = await fetchBySharedWay(file);

  await expect(fetchThere?.('http://metadata/')).rejects.toMatchObject({
    message: 'fetch failed',
    cause: { message: 'rack4: no answer' },
  });
});

it('is none where the other process has ended', async () => {
  expect(await fetchBySharedWay('/nowhere/way')).toBeUndefined();
});
