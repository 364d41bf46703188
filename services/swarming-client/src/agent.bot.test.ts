/** A bot that never starts: the agent says why, and what to do. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';
import type { BotView } from './bot/bot-view.ts';
import { withBot } from './health/bot-reason.ts';
import type { Health } from './health/health.ts';
import { Lab } from './testing/lab.ts';

const main = fileURLToPath(new URL('./main.ts', import.meta.url));

it.each([
  ['botDir: /root', /^the bot is not starting: \/root cannot be .*; set `botDir` in rack.yaml to/],
  [
    'python: /no/python',
    /: \/no\/python is not installed.*; install it, or set `python` in rack.yaml/,
  ],
  [
    'server: "http://127.0.0.1:9"',
    /: http:\/\/127.0.0.1:9: .*; for details, run `skolo machine log`/,
  ],
])('reports what keeps it from starting: %s', async (setting, text) => {
  await using lab = await Lab.open({ entry: `swarming: { ${setting} }` });
  const agent = await lab.startAgent();

  const { health } = await agent.until((status) => status.health?.verdict === 'recovering');

  expect(health?.reasons).toMatchObject([
    { verdict: 'recovering', code: 'bot-not-started', text: expect.stringMatching(text) },
  ]);
});

const since = new Date('2026-11-20T12:00:00Z');
const minutes = (count: number) => new Date(since.getTime() + count * 60_000);
const well: Health = { verdict: 'ok', since: minutes(-60), reasons: [] };

it.each<[string, BotView['failing'], minutes: number, verdict: string]>([
  ['has ended once', { since, starts: 1, why: 'ended' }, 0.1, 'ok'],
  ['does not start', { since, starts: 3, why: 'no Python' }, 0.1, 'recovering'],
  ['has not started for ten minutes', { since, starts: 9, why: 'no Python' }, 10, 'quarantined'],
])('a bot that %s', (_, failing, after, verdict) => {
  const bot = { failing } as BotView;

  const judged = withBot(well, { bot, noServer: undefined, now: minutes(after) });

  expect(judged).toMatchObject({ verdict, since: verdict === 'ok' ? well.since : since });
});

it('leaves what is worse, and says so where no server fits', () => {
  const missing = { verdict: 'quarantined', code: 'missing', text: 'missing', since } as const;
  const health: Health = { verdict: 'quarantined', since, reasons: [missing] };
  const bot = { since } as BotView;
  const failing = { ...bot, failing: { since, starts: 3, why: 'no Python' } };
  const deps = { noServer: undefined, now: since };

  const both = withBot(health, { ...deps, bot: failing });
  const none = withBot(well, { ...deps, bot, noServer: 'no server fits: set `server`' });

  expect(both.reasons.map(({ code }) => code)).toEqual(['missing', 'bot-not-started']);
  expect(none).toMatchObject({ verdict: 'quarantined', reasons: [{ code: 'bot-not-started' }] });
});

it('--check reports a folder that cannot be the bot’s and a Python that is not there', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'skolo-check-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  const check = async (settings: string) => {
    const file = join(dir, 'rack.yaml');
    await writeFile(
      file,
      `rack: rack4
network: { subnet: 10.0.0.0/24 }
jumphost: { name: jumphost, address: 10.0.0.1 }
machines: { rpi-1: { kind: rpi, address: 10.0.0.2 } }
services: { swarming-client: { ${settings} } }
`,
    );
    const args = [main, '--check', '--rack', file, '--machine', 'rpi-1'];
    return await promisify(execFile)(process.execPath, args).then(
      ({ stdout }) => ({ code: 0, text: stdout }),
      ({ code, stderr }: { code: number; stderr: string }) => ({ code, text: stderr }),
    );
  };

  expect(await check('botDir: /root, python: /no/python')).toEqual({
    code: 78,
    text: `/root cannot be the bot directory, because the bot deletes unknown files in it; set \`botDir\` in rack.yaml to a directory that only the bot uses, such as /b/s
/no/python is not installed, but the bot requires Python 3.7 or newer; install it, or set \`python\` in rack.yaml
`,
  });
  expect((await check(`botDir: ${dir}/b/s, python: /bin/false`)).text).toMatch(
    /^\/bin\/false cannot be used: .*; set `python` in rack.yaml to Python 3.7 or newer\n$/,
  );
  expect(await check(`botDir: ${dir}/rack.yaml/s, python: python3`)).toMatchObject({
    code: 78,
    text: expect.stringContaining('it is not a directory'),
  });
  expect(await check(`botDir: ${dir}/b/s, python: python3`)).toMatchObject({ code: 0 });
});
