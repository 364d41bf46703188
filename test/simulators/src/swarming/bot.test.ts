import type { TestContext } from 'vitest';
import { describe, expect, it } from 'vitest';
import { type SwarmingOptions, startSwarming } from './server.ts';
import { botFolder, commandLine, python, startBot } from './testing.ts';

async function start(context: TestContext, options: SwarmingOptions = {}) {
  if (python === undefined) return context.skip('python3 is not installed');
  const server = await startSwarming(options);
  context.onTestFinished(() => server.close());
  const folder = await botFolder(context, server);
  return { server, folder };
}

describe('the bot', () => {
  it('shakes hands, runs a task and ends in order', async (context) => {
    const { server, folder } = await start(context);
    const bot = startBot(context, folder);
    const id = server.addTask({ python: 'print("hello")' });

    await expect.poll(() => server.task(id).state).toBe('completed');

    expect(server.task(id)).toMatchObject({ bot: 'bot-1', output: 'hello\n', exitCode: 0 });
    expect(server.bot('bot-1')).toMatchObject({ version: server.version, pid: bot.pid });
    expect(commandLine(bot.pid)).toContain('swarming_bot.1.zip start_bot');
    bot.kill('SIGTERM');
    expect(await bot.exit).toEqual({ status: 0, signal: null });
    expect(server.bot('bot-1').events.map(({ event }) => event)).toEqual(['bot_shutdown']);
  });
});
