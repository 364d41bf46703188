import { readFile, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { agentKeyHeader, contentDigest } from '@skolo/api/signature';
import { parseAgentPublicKey } from '@skolo/base/secrets';
import { listen, tempDir } from '@skolo/base/testing';
import { Challenges, HttpProblem } from '@skolo/common/light';
import { fakeClock } from '@skolo/common/testing';
import { expect, it } from 'vitest';
import { signedRequests } from './signed-request.ts';

const receiver = { rack: 'rack4', machine: 'rpi-1' };

/** A service that accepts what `rpi-1` signs, and says with which key. */
async function startService() {
  const clock = fakeClock(0);
  const challenges = new Challenges(clock);
  const asked: string[] = [];
  const server = createServer(async (request, response) => {
    const shown = request.headers[agentKeyHeader]?.toString();
    asked.push(shown === undefined ? 'unsigned' : 'signed');
    for (const header of Object.entries(challenges.headers())) response.setHeader(...header);
    try {
      if (shown === undefined) throw new HttpProblem(401, 'sign it');
      const digest = challenges.verify(request, { ...receiver, key: parseAgentPublicKey(shown) });
      const isWhole = digest === contentDigest(await text(request));
      response.writeHead(isWhole ? 200 : 400).end(shown);
    } catch (error) {
      response.writeHead(error instanceof HttpProblem ? error.status : 500).end();
    }
  });
  const dir = await tempDir();
  const url = `http://127.0.0.1:${await listen(server)}/v1/own?a=b%20c`;
  return { url, dir, asked, clock };
}

const post = { method: 'POST', body: '{"a":"ü"}', timeoutMs: 60_000 } as const;

it('signs with a key that the machine keeps, and with the challenge of the last answer', async () => {
  const { url, dir, asked } = await startService();
  const send = signedRequests(dir, () => receiver);

  const first = await send(url, post);
  const second = await send(url, { timeoutMs: 60_000 });
  const restarted = await signedRequests(dir, () => receiver)(url, post);

  expect([first.status, second.status, restarted.status]).toEqual([200, 200, 200]);
  expect(asked).toEqual(['unsigned', 'signed', 'signed', 'unsigned', 'signed']);
  expect([second.text, restarted.text]).toEqual([first.text, first.text]);
  const file = join(dir, 'own-key.pem');
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(await readFile(file, 'utf8')).toMatch(/^-----BEGIN PRIVATE KEY-----/);
});

it('makes one key, also for requests at the same time', async () => {
  const { url, dir } = await startService();
  const send = signedRequests(dir, () => receiver);

  const answers = await Promise.all([send(url, post), send(url, post), send(url, post)]);

  expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
});

it('asks once more where the challenge has become too old', async () => {
  const { url, dir, asked, clock } = await startService();
  const send = signedRequests(dir, () => receiver);
  await send(url, post);
  clock.pass(61_000);

  expect((await send(url, post)).status).toBe(200);
  expect(asked).toEqual(['unsigned', 'signed', 'signed', 'signed']);
});

it('signs nothing before the machine knows its rack', async () => {
  const { url, dir, asked } = await startService();

  expect((await signedRequests(dir, () => undefined)(url, post)).status).toBe(401);
  expect(asked).toEqual(['unsigned']);
});
