/** The hooks and their script between a bot and its server: what the agent knows decides who gets tasks. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { dirname, join } from 'node:path';
import { listen, tempDir } from '@skolo/base/testing';
import { type SwarmingOptions, startSwarming } from '@skolo/simulators';
import { describe, expect, it, onTestFinished, type TestContext } from 'vitest';
import { python } from '../bot/testing/python.ts';
import type { AgentView } from './state.ts';
import { phone, reason, recordedHooks, viewWith } from './testing/views.ts';

const script = new URL('../../python/skolo_bot_config.py', import.meta.url);

/** What the agent knows, which the test may change, and its hooks. */
async function startAgent() {
  const agent: { view: AgentView } = { view: viewWith({ devices: [phone()] }) };
  const { calls, create } = recordedHooks(() => agent.view);
  let server = create();
  const port = await listen(server);
  return {
    agent,
    tasks: () => calls.filter((call) => !call.endsWith('true')),
    url: `http://127.0.0.1:${port}`,
    goAway() {
      server.close();
      server.closeAllConnections();
    },
    async comeBack() {
      server = create();
      await once(server.listen(port, '127.0.0.1'), 'listening');
    },
  };
}

async function startBot(
  { skip }: TestContext,
  options: SwarmingOptions,
  env: Record<string, string>,
) {
  if (python === undefined) return skip('python3 is not installed');
  const swarming = await startSwarming(options);
  onTestFinished(() => swarming.close());
  const folder = await tempDir();
  const zip = await fetch(`${swarming.url}/bot_code`, {
    headers: { authorization: 'Bearer ya29.abc', 'x-luci-swarming-bot-id': 'rpi-1' },
  });
  await writeFile(join(folder, 'swarming_bot.zip'), Buffer.from(await zip.arrayBuffer()));
  const child: ChildProcess = spawn(python, [join(folder, 'swarming_bot.zip'), 'start_bot'], {
    env: {
      PATH: `${dirname(python)}:${process.env.PATH}`,
      HOME: '/',
      SWARMING_BOT_ID: 'rpi-1',
      SWARMING_EXTERNAL_BOT_SETUP: '1',
      ...env,
    },
    stdio: 'ignore',
  });
  const exit = once(child, 'exit');
  onTestFinished(async () => {
    child.kill('SIGTERM');
    await exit;
  });
  await expect.poll(() => swarming.bots.get('rpi-1')?.polls ?? 0).toBeGreaterThan(1);
  return { swarming, bot: () => swarming.bot('rpi-1') };
}

describe('a bot with the script of the agent', () => {
  it('is what its phone is, and takes tasks only while that is well', async (context) => {
    const { agent, tasks, url, goAway, comeBack } = await startAgent();
    const metadata = createServer((_, response) => {
      response.end('{"access_token":"ya29.abc","expires_in":3000}');
    });
    const config = join(await tempDir(), 'config.json');
    const tokenUrl = `http://127.0.0.1:${await listen(metadata)}/token`;
    await writeFile(config, JSON.stringify({ url: tokenUrl, headers: {} }));
    const options = {
      hookScript: await readFile(script, 'utf8'),
      accepts: (token: string | undefined) => token === 'ya29.abc',
    };
    const env = { SKOLO_HOOK_URL: url, SKOLO_OAUTH_CONFIG: config };
    const { swarming, bot } = await startBot(context, options, env);
    const forWalleye = { python: 'print("hi")', dimensions: { device_type: ['walleye'] } };

    expect(bot()).toMatchObject({
      dimensions: { id: ['rpi-1'], os: ['Android'], skolo_health: ['ok'] },
      state: { sk_rack: 'rack4', disks: expect.anything(), running_time: expect.any(Number) },
    });

    const first = swarming.addTask(forWalleye);
    await expect.poll(() => swarming.task(first).state).toBe('completed');
    await expect.poll(tasks).toEqual([`before ${first.slice(0, -1)}1`, 'after, succeeded']);

    const reasons = [reason('recovering', 'battery low: 12%', 'device')];
    const health = { verdict: 'recovering' as const, since: new Date(0), reasons };
    agent.view = { ...agent.view, health };
    await expect.poll(() => bot().maintenance).toBe('device: battery low: 12%');
    const second = swarming.addTask(forWalleye);
    const { polls } = bot();
    await expect.poll(() => bot().polls).toBeGreaterThan(polls + 2);
    expect(swarming.task(second).state).toBe('pending');
    agent.view = viewWith({ devices: [phone()] });
    await expect.poll(() => swarming.task(second).state).toBe('completed');

    goAway();
    await expect
      .poll(() => bot().quarantined)
      .toContain(`request to the skolo agent at ${url} failed`);
    await comeBack();
    await expect.poll(() => bot().quarantined).toBeUndefined();
    expect(bot().dimensions).toMatchObject({ device_type: ['walleye'] });
  });

  it('may get it with the handshake', async (context) => {
    const { agent, tasks, url } = await startAgent();
    const quarantined = [reason('quarantined', 'gone', 'device')];
    agent.view = viewWith({
      health: { verdict: 'quarantined', since: new Date(0), reasons: quarantined },
    });
    const options = { injectedScript: await readFile(script, 'utf8') };

    const { swarming, bot } = await startBot(context, options, { SKOLO_HOOK_URL: url });

    await expect.poll(() => bot().quarantined).toBe('device: gone');
    agent.view = viewWith({ devices: [phone()] });
    const task = swarming.addTask({ python: 'print("hi")' });
    await expect.poll(() => swarming.task(task).state).toBe('completed');
    await expect.poll(() => tasks().at(-1)).toBe('after, succeeded');
  });
});
