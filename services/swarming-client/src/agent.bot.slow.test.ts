/** A bot that never starts: the agent says why, and what to do. And a machine without a bot. */

import { execFile, spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { tempDir } from '@skolo/base/testing';
import { lacks } from '@skolo/simulators';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { BotView } from './bot/bot-view.ts';
import type { Health } from './health/health.ts';
import { withBot } from './status/status.ts';
import type { AgentProcess } from './testing/agent-process.ts';
import { Lab, newOrder } from './testing/lab.ts';

const main = fileURLToPath(new URL('./main.ts', import.meta.url));

const phone = { serial: '0A1B2C3D', model: 'pixel-5' as const, rebootMs: 300 };

describe.skipIf(lacks('adb'))('an agent, from `bot: none` on', () => {
  let lab: Lab;
  let agent: AgentProcess;
  beforeAll(async () => {
    // A phone counts as missing after half a minute, and each look at it takes five processes.
    lab = await Lab.open({ phones: [phone], settings: 'bot: none', readSeconds: 5 });
    agent = await lab.startAgent();
  });
  afterAll(() => lab.close());

  it('monitors its machine and phone, and needs no Swarming server', async () => {
    await agent.isWell();

    const { bot, devices, task } = await agent.until(
      ({ host }) => host?.diskFreeBytes !== undefined,
    );
    expect(bot).toMatchObject({ state: 'none', starts: 0, why: 'rack.yaml has `bot: none`' });
    expect(devices).toMatchObject([{ state: 'present', serial: phone.serial }]);
    expect(task).toEqual({ running: false });
    expect(await agent.ready()).toMatchObject({ status: 200, body: { ready: true, degraded: [] } });
    const metrics = await agent.metrics();
    expect(metrics).toMatch(/^skolo_swarming_bot_state\{.*state="none".*\} 1$/m);
    expect(metrics).not.toMatch(/^skolo_swarming_bot_healthy/m);
    expect(await agent.hook('get_state', {})).toMatchObject({
      status: 409,
      detail: 'rpi-1: rack.yaml has `bot: none`; stop this bot, or remove the setting',
    });

    await agent.client().setOrders({ body: { orders: [newOrder()] } });
    lab.adb.phone().state = 'unauthorized';
    await agent.until(({ health }) => health?.reasons.length === 2);
    expect((await agent.status()).health?.reasons.map(({ code }) => code).sort()).toEqual([
      'forced',
      'needs-person',
    ]);

    expect(lab.ofBot()).toEqual([]);
    expect(lab.swarming.downloads).toBe(0);
    expect(lab.metadata.tokensGiven).toBe(0);
    await agent.client().setOrders({ body: { orders: [] } });
  });

  it('is told of jobs by two calls, also after kill -9, and ends them with their process', async () => {
    const runner = spawn('sleep', ['1000']);
    onTestFinished(() => void runner.kill('SIGKILL'));
    expect(await agent.hook(`on_before_task?task_id=ci-7&pid=${runner.pid}`)).toEqual({});
    const { task } = await agent.status();
    const reboot = agent.client().reboot({ body: { why: 'kernel' } });
    await expect(reboot).rejects.toThrow('a job is running');

    await agent.end('SIGKILL');
    agent = await lab.startAgent();
    const afterKill = (await agent.status()).task;
    runner.kill('SIGKILL');
    const { task: ended } = await agent.until((status) => !status.task.running);
    await agent.hook('on_before_task');
    await agent.hook('on_after_task?failure=True');

    expect(task).toMatchObject({ running: true, id: 'ci-7' });
    expect(afterKill).toMatchObject({ running: true, id: 'ci-7', since: task.since });
    expect(ended.last).toMatchObject({ id: 'ci-7', outcome: 'lost' });
    expect((await agent.status()).task.last).toMatchObject({ outcome: 'failed' });
  });

  it.skipIf(lacks('curl'))(
    'is told of jobs by the lines for GitHub runners, as printed',
    async () => {
      const page = new URL('../../../docs/adopt/with-your-tools.md', import.meta.url);
      const text = await readFile(page, 'utf8');
      const lines = [...text.matchAll(/^curl .*127\.0\.0\.1:11000.*$/gm)].map(([line]) =>
        line.replace('11000', `${agent.hookPort}`),
      );
      const told = lines.map((line) => async () => {
        const env = { ...process.env, GITHUB_RUN_ID: '4711' };
        await promisify(execFile)('/bin/sh', ['-ec', line], { env });
        return (await agent.status()).task;
      });
      expect(told).toHaveLength(2);

      expect(await told[0]?.()).toMatchObject({ running: true, id: '4711' });
      expect(await told[1]?.()).toMatchObject({
        running: false,
        last: { id: '4711', outcome: 'succeeded' },
      });
    },
  );

  it('reports what keeps its bot from starting', async () => {
    for (const [setting, text] of [
      [
        'botDir: /root',
        /^the bot is not starting: \/root cannot be .*; set `botDir` in rack.yaml to/,
      ],
      [
        'python: /no/python',
        /: \/no\/python is not installed.*; install it, or set `python` in rack.yaml/,
      ],
      [
        'server: "http://127.0.0.1:9"',
        /: http:\/\/127.0.0.1:9: .*; for details, run `skolo machine log rpi-1`/,
      ],
    ] as const) {
      lab.setRack(`device: { kind: none }, swarming: { ${setting} }`);

      const { health } = await agent.until((status) =>
        text.test(status.health?.reasons[0]?.text ?? ''),
      );

      expect(health).toMatchObject({
        verdict: 'recovering',
        reasons: [{ code: 'bot-not-started' }],
      });
    }
  });

  it('lets the bot finish its task before `bot: none`, starts it again without the key, and ends', async () => {
    const { swarming } = lab;
    lab.setRack('device: { kind: none }');
    await agent.isWell();
    const go = join(lab.dir, 'go');
    const python = `import os, time\nwhile not os.path.exists(${JSON.stringify(go)}): time.sleep(0.05)`;
    const first = swarming.addTask({ python });
    await agent.until(({ task }) => task.running);

    lab.setRack('device: { kind: none }', 'bot: none');
    await agent.until(({ bot }) => bot?.state === 'stopping');
    const second = swarming.addTask({ python: 'pass' });
    await writeFile(go, '');
    await agent.until(({ bot }) => bot?.state === 'none');

    expect(swarming.task(first).state).toBe('completed');
    expect((await agent.status()).task.last).toMatchObject({ outcome: 'succeeded' });
    expect(lab.ofBot()).toEqual([]);
    expect(swarming.task(second).state).toBe('pending');

    lab.setRack('device: { kind: none }');
    await swarming.until(() => swarming.task(second).state === 'completed');
    lab.setRack('device: { kind: none }', 'bot: none');
    await agent.until(({ bot }) => bot?.state === 'none');
    expect(await agent.end('SIGTERM')).toBe(0);
  });
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

  const judged = withBot(well, { machine: 'rpi-1', bot, noServer: undefined, now: minutes(after) });

  expect(judged).toMatchObject({ verdict, since: verdict === 'ok' ? well.since : since });
});

it('leaves what is worse, and says so where no server fits', () => {
  const missing = { verdict: 'quarantined', code: 'missing', text: 'missing', since } as const;
  const health: Health = { verdict: 'quarantined', since, reasons: [missing] };
  const bot = { since } as BotView;
  const failing = { ...bot, failing: { since, starts: 3, why: 'no Python' } };
  const deps = { machine: 'rpi-1', noServer: undefined, now: since };

  const both = withBot(health, { ...deps, bot: failing });
  const none = withBot(well, { ...deps, bot, noServer: 'no server fits: set `server`' });

  expect(both.reasons.map(({ code }) => code)).toEqual(['missing', 'bot-not-started']);
  expect(none).toMatchObject({ verdict: 'quarantined', reasons: [{ code: 'bot-not-started' }] });
});

it('--check reports a folder that cannot be the bot’s and a Python that is not there', async () => {
  const dir = await tempDir();
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
    /^\/bin\/false cannot run the bot: .*; `python` in rack.yaml must be Python 3.7 or newer\n$/,
  );
  expect(await check(`botDir: ${dir}/rack.yaml/s, python: python3`)).toMatchObject({
    code: 78,
    text: expect.stringContaining('it is not a directory'),
  });
  expect(await check(`botDir: ${dir}/b/s, python: python3`)).toMatchObject({ code: 0 });
  expect(await check('bot: none, python: /no/python')).toMatchObject({ code: 0 });
});
