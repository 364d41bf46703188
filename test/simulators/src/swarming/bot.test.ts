import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { commandLine, isAlive, processesOf, start, startBot, started, zipIn } from './testing.ts';

const patience = 'import time; print("up", flush=True)\nwhile True: time.sleep(1)';
const stubborn = `import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n${patience}`;

describe('from start to end', () => {
  it('shakes hands, runs a task and ends in order', async (context) => {
    const { server, bot } = await started(context);
    const id = server.addTask({ python: 'print("hello")' });

    await expect.poll(() => server.task(id).state).toBe('completed');

    expect(server.task(id)).toMatchObject({ bot: 'bot-1', output: 'hello\n', exitCode: 0 });
    expect(server.bot('bot-1')).toMatchObject({ version: server.version, pid: bot.pid });
    expect(commandLine(bot.pid)).toContain('swarming_bot.1.zip start_bot');
    bot.kill('SIGTERM');
    expect(await bot.exit).toEqual({ status: 0, signal: null });
    expect(server.bot('bot-1').events.map(({ event }) => event)).toEqual(['bot_shutdown']);
    expect(readFileSync(join(bot.folder, 'swarming.lck'), 'utf8')).toBe(`${bot.pid}`);
  });

  it('deletes what it does not know in its folder', async (context) => {
    const { folder, server } = await start(context);
    writeFileSync(join(folder, 'stranger'), '');
    mkdirSync(join(folder, 'cipd_cache'));

    startBot(context, folder);

    await expect.poll(() => server.bots.get('bot-1')?.polls).toBeGreaterThan(1);
    expect(readdirSync(folder).sort()).toEqual([
      'cipd_cache',
      'logs',
      'swarming.lck',
      'swarming_bot.1.zip',
      'swarming_bot.zip',
    ]);
  });

  it.for([
    ['version', 0],
    ['is_fine', 0],
    ['attributes', 0],
    ['dance', 1],
    ['--dance', 2],
  ] as const)('%s ends with %i', async ([command, status], context) => {
    const { folder } = await start(context);

    const bot = startBot(context, folder, { args: [command] });

    expect((await bot.exit).status).toBe(status);
  });

  it.for([
    ['bytes of another file', Buffer.from('<html></html>'), 1],
    ['nothing', Buffer.alloc(0), 0],
  ] as const)(
    'a zip that is %s ends with Python as it does',
    async ([_what, bytes, status], context) => {
      const { folder } = await start(context);
      writeFileSync(zipIn(folder), bytes);

      expect((await startBot(context, folder).exit).status).toBe(status);
    },
  );

  it('a second one in the folder asks for a reboot, again and again', async (context) => {
    const { folder, server, shim } = await started(context);

    const second = startBot(context, folder, { env: shim.env });

    await expect.poll(() => shim.calls().length).toBeGreaterThan(3);
    expect(shim.calls().slice(0, 2)).toEqual(['-n /sbin/shutdown -r now', '-n /sbin/reboot -f']);
    expect(server.bot('bot-1').handshakes).toBe(1);
    second.kill('SIGTERM');
    expect((await second.exit).signal).toBe('SIGTERM');
  });
});

describe('commands', () => {
  it('stays as it is and is unhealthy when the new version is not fine', async (context) => {
    const { server, bot } = await started(context);

    server.askUpdate({ spoilt: 'not-fine' });

    await expect.poll(() => server.bot('bot-1').quarantined).toContain('Unable to update');
    expect(server.bot('bot-1')).toMatchObject({ handshakes: 1, pid: bot.pid });
    expect(server.bot('bot-1').events[0]).toMatchObject({ event: 'bot_error' });
  });

  it('asks the host for a reboot by both commands; SIGTERM ends it meanwhile', async (context) => {
    const { server, bot, shim } = await started(context, { times: { rebootGivesUp: 60 } });

    server.askReboot();

    await expect.poll(() => shim.calls().length).toBeGreaterThan(1);
    expect(shim.calls().slice(0, 2)).toEqual(['-n /sbin/shutdown -r now', '-n /sbin/reboot -f']);
    expect(shim.parents()[0]).toBe(bot.pid);
    expect(server.bot('bot-1').events.map(({ event }) => event)).toEqual(['bot_rebooting']);
    bot.kill('SIGTERM');
    expect(await bot.exit).toEqual({ status: null, signal: 'SIGTERM' });
  });

  it('forgets a SIGTERM that comes while it updates itself', async (context) => {
    const { server, bot } = await started(context, { times: { farewell: 12 } });
    const version = server.askUpdate();
    await expect.poll(() => server.bot('bot-1').events.at(-1)?.event).toBe('bot_shutdown');

    bot.kill('SIGTERM');

    await expect.poll(() => server.bot('bot-1').version).toBe(version);
    const { polls } = server.bot('bot-1');
    await expect.poll(() => server.bot('bot-1').polls).toBeGreaterThan(polls + 2);
    expect(server.bot('bot-1').pid).toBe(bot.pid);
    bot.kill('SIGTERM');
    expect((await bot.exit).status).toBe(0);
  });

  it('gives up a reboot that never comes, and is unhealthy', async (context) => {
    const { server } = await started(context, { times: { reboot: 0.1, rebootGivesUp: 0.2 } });

    server.askReboot();

    await expect.poll(() => server.bot('bot-1').quarantined).toContain('stuck restarting');
  });

  it.for([
    ['exception', { status: 1, signal: null }],
    ['killed', { status: null, signal: 'SIGKILL' }],
    [42, { status: 42, signal: null }],
  ] as const)('crashes on demand: %s', async ([how, expected], context) => {
    const { server, bot } = await started(context);

    server.askCrash(how);

    expect(await bot.exit).toEqual(expected);
  });
});

describe('tasks', () => {
  it('SIGTERM to the bot and to task_runner ends it in order, after its grace', async (context) => {
    const { server, bot, folder } = await started(context);
    // On a busy computer, too, it is over before the bot kills who would kill the task: after twice the grace.
    const id = server.addTask({ python: stubborn, graceSeconds: 12 });
    await expect.poll(() => server.task(id).output).toBe('up\n');

    bot.kill('SIGTERM');
    process.kill(runnerIn(folder), 'SIGTERM');

    expect((await bot.exit).status).toBe(0);
    expect(server.task(id)).toMatchObject({ state: 'failed', error: 'received signal 15' });
    expect(processesOf(folder)).toEqual([]);
  });

  it('one whose bot is killed lives on as an orphan', async (context) => {
    const { server, bot, folder } = await started(context);
    // It ends by itself: without /proc, the end of the test does not find it.
    const id = server.addTask({ python: 'import time; print("up", flush=True); time.sleep(60)' });
    await expect.poll(() => server.task(id).output).toBe('up\n');
    const orphan = runnerIn(folder);

    bot.kill('SIGKILL');
    await bot.exit;

    expect(isAlive(orphan)).toBe(true);
    startBot(context, folder);
    await expect.poll(() => server.bot('bot-1').handshakes).toBe(2);
    expect(server.task(id).state).toBe('died');
  });

  it('is ended on demand of the server', async (context) => {
    const { server } = await started(context);
    const id = server.addTask({ python: patience, graceSeconds: 5 });
    await expect.poll(() => server.task(id).state).toBe('running');

    server.cancelTask(id);

    await expect.poll(() => server.task(id).state).toBe('killed');
  });

  it('goes only to a bot that has its dimensions', async (context) => {
    const { server } = await started(context);
    const other = server.addTask({ python: '', dimensions: { pool: ['Other'] } });
    const mine = server.addTask({ python: '', dimensions: { pool: ['Skolo'], id: ['bot-1'] } });

    await expect.poll(() => server.task(mine).state).toBe('completed');

    expect(server.task(other).state).toBe('pending');
  });
});

function runnerIn(folder: string): number {
  const found = processesOf(folder).find((pid) => commandLine(pid).includes(' task_runner '));
  if (found === undefined) throw new Error('there is no task_runner');
  return found;
}
