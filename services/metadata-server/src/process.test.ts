import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { Agent, get } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { countRounds, seeded } from '@skolo/base/durable/fault-injection';
import { run, testSeed } from '@skolo/base/testing';
import { startOwnProcess } from '@skolo/common/testing/own-process';
import { readRack } from '@skolo/rack';
import { describe, expect, it } from 'vitest';
import { ask } from './testing/http.ts';
import {
  bot1,
  bots,
  jumphost,
  newRackFolder,
  rackYaml,
  self,
  startTestGoogle,
} from './testing/rack.ts';
import { SavedTokens, savedTokensFolder } from './tokens/saved-tokens.ts';

const main = join(import.meta.dirname, 'main.ts');
const tokenPath = '/computeMetadata/v1/instance/service-accounts/default/token';

async function start(dir: string, env: Record<string, string> = {}) {
  const server = await startOwnProcess(main, dir, { env });
  const port = Number(new URL(server.url).port);
  return {
    ...server,
    port,
    metricsPort: Number(new URL(server.metricsUrl).port),
    /** As every client does, asks again after a 503: on a busy computer the first token may take more than two seconds. */
    async token(from = '127.0.1.1') {
      for (;;) {
        const reply = await ask(port, tokenPath, { from });
        if (reply.status !== 503) return reply;
      }
    },
  };
}

describe('the process', () => {
  it('logs that it listens, ends at once, lets those go who wait, and prints nothing of a token', async () => {
    const google = await startTestGoogle();
    const yaml = `${rackYaml}equipment: { switch-1: { model: cisco-ios, address: 127.0.7.8 } }\n`;
    const server = await start(await newRackFolder(google, yaml), { SKOLO_LOG_LEVEL: 'trace' });
    const { body } = await server.token();
    for (let i = 0; i < 5; i++) expect((await server.token('127.0.7.7')).status).toBe(403);
    expect((await server.token('127.0.7.8')).status).toBe(403);
    const poll = ask(server.port, '/computeMetadata/v1/instance/name?wait_for_change=true');
    const metrics = () => ask(server.metricsPort, '/metrics', { from: self });
    await expect.poll(async () => (await metrics()).body).toContain('skolo_metadata_watchers 1\n');

    expect(await server.end('SIGTERM')).toBe(0);

    expect((await poll).body).toBe('rack1-shelf1-001');
    const printed = JSON.stringify(server.lines);
    const { access_token: token } = JSON.parse(body);
    expect(printed).not.toContain(token);
    expect(printed).not.toContain(token.slice(8, 20));
    expect(printed).not.toMatch(/ya29|eyJ|PRIVATE KEY/);
    const unknown = server.lines.filter(({ msg }) => msg === 'caller without identity');
    expect(unknown).toMatchObject([
      { level: 'warn', address: '127.0.7.7', name: '127.0.7.7', kind: 'unknown' },
      { level: 'warn', address: '127.0.7.8', name: 'switch-1', kind: 'unknown' },
    ]);
  });

  it('gives each caller a token of its own account at port 80', async (context) => {
    if (process.getuid?.() !== 0) return context.skip('only root may listen at port 80');
    const google = await startTestGoogle();
    // Tests of another clone may run at the same time.
    const host = `127.80.${(process.pid >> 8) & 255}.${(process.pid % 254) + 1}`;
    const flags = { '--host': host, '--port': '80' };
    await startOwnProcess(main, await newRackFolder(google, rackYaml), { flags });

    const accountOf = async (localAddress: string) => {
      const headers = { 'Metadata-Flavor': 'Google' };
      const asked = get({ host, path: tokenPath, localAddress, headers, agent: false });
      const [answer] = await once(asked, 'response');
      const body = await text(answer);
      return google.issued.find(({ token }) => body.includes(token))?.account;
    };
    expect(await accountOf('127.0.1.2')).toBe(bots);
    expect(await accountOf(self)).toBe(jumphost);
    expect(await accountOf('127.0.7.7')).toBeUndefined();
  });

  it('checks rack.yaml and the keys of its identities with --check', async () => {
    const dir = await newRackFolder(await startTestGoogle(), rackYaml);
    const check = (yaml: string) =>
      writeFile(join(dir, 'rack.yaml'), yaml).then(() =>
        run(process.execPath, [main, '--check', '--rack', join(dir, 'rack.yaml')]).then(
          () => ({ code: 0, printed: '' }),
          ({ code, stdout, stderr }) => ({ code, printed: stdout + stderr }),
        ),
      );
    expect(await check(rackYaml)).toEqual({ code: 0, printed: '' });
    const missing = await check(rackYaml.replace('secrets/jumphost.json', 'secrets/none.json'));
    expect(missing.code).toBe(78);
    expect(missing.printed).toContain('identities.jumphost');
    expect(missing.printed).toContain('none.json');
  });
});

const rounds = countRounds(2, 30);

it(`SIGTERM under load, ${rounds} times, resets no request of a connection in use`, async () => {
  const dir = await newRackFolder(await startTestGoogle(), rackYaml);
  const path = '/computeMetadata/v1/instance/name';
  for (let round = 0; round < rounds; round++) {
    const server = await start(dir);
    let answered = 0;
    const resets: string[] = [];
    const clients = Array.from({ length: 20 }, async () => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1, localAddress: '127.0.1.1' });
      const to = { host: '127.0.0.1', port: server.port, agent, path };
      for (let isServed = true; isServed; ) {
        const request = get({ ...to, headers: { 'metadata-flavor': 'Google' } });
        isServed = await once(request, 'response').then(
          async ([response]) => {
            answered += 1;
            await once(response.resume(), 'end');
            return true;
          },
          (error: unknown) => {
            if (request.reusedSocket) resets.push(String(error));
            return false;
          },
        );
      }
      agent.destroy();
    });
    await expect.poll(() => answered).toBeGreaterThan(100);

    expect(await server.end('SIGTERM')).toBe(0);

    await Promise.all(clients);
    expect(resets).toEqual([]);
  }
});

/** Few, as the service takes long to start. The last one is after a token. */
const kills = countRounds(1);

it(`kill -9 at random, ${kills} times, leaves saved tokens and state readable and loses no token`, async () => {
  const random = seeded(testSeed());
  const google = await startTestGoogle();
  const dir = await newRackFolder(google, rackYaml);
  const rack = await readRack(join(dir, 'rack.yaml'));
  const savedTokens = new SavedTokens(() => savedTokensFolder(rack, join(dir, 'state')));
  for (let i = 1; i < kills; i++) {
    const server = await start(dir);
    const asking = Array.from({ length: Math.floor(random() * 5) }, () =>
      server.token().catch(() => undefined),
    );
    if (random() < 0.5) await Promise.all(asking);
    expect(await server.end('SIGKILL')).toBe('SIGKILL');
    await Promise.all(asking);
    expect(Array.isArray(await savedTokens.load())).toBe(true);
  }
  const server = await start(dir);
  const { body } = await server.token();
  await expect.poll(async () => (await savedTokens.load()).length).toBeGreaterThan(1);
  await server.end('SIGKILL');
  google.script({ status: 500 });

  const survivor = await start(dir);

  const saved = await ask(survivor.port, tokenPath, { from: bot1 });
  expect(JSON.parse(saved.body).access_token).toBe(JSON.parse(body).access_token);
  const degraded = survivor.lines.filter(({ msg }) => msg === 'degraded');
  // A pause of this computer does not count.
  expect(degraded.filter(({ what }) => what !== 'pauses')).toEqual([]);
});
