import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tempDir } from '@skolo/base/testing';
import { fakeClock } from '@skolo/common/testing';
import { lacks } from '@skolo/simulators/peer';
import { describe, expect, it } from 'vitest';
import { InitProcess } from './init-process.ts';
import { isAlive, newBot, type TestBot } from './testing/new-bot.ts';
import { python } from './testing/python.ts';
import { bots } from './testing/stub-bot.ts';

async function running(test: TestBot, ...files: string[]): Promise<number[]> {
  test.start();
  for (const file of files) await expect.poll(() => test.pid(file)).toBeGreaterThan(0);
  return files.map((file) => test.pid(file));
}

/** A Python for which bot_init.py waits for a locked folder for a day instead of 15 s. */
async function patientPython(): Promise<string> {
  const program = join(await tempDir(), 'python');
  const code = `import sys
del sys.argv[:3]
text = open(sys.argv[0]).read()
patient = text.replace('LOCK_SECONDS = 15', 'LOCK_SECONDS = 86400')
assert patient != text
exec(compile(patient, sys.argv[0], 'exec'))`;
  await writeFile(program, `#!/bin/sh\nexec '${python}' -c "${code}" "$@"\n`);
  await chmod(program, 0o755);
  return program;
}

const withTask = ['bot.pid', 'task_runner.pid', 'task.pid', 'orphan.pid'];

describe.skipIf(lacks('python3'))('stopping a bot', () => {
  it('lets its task end first, also where no hook reported it', async () => {
    // Its clock only moves while the task runs, so that the bot has all the time that it takes to end after it.
    const clock = fakeClock();
    await using test = await newBot({
      zip: { body: bots.withTask },
      limits: { idleMs: 200 },
      clock,
    });
    const [bot = 0, , task = 0, orphan = 0] = await running(test, ...withTask);

    const stopped = test.bot.stop();
    await expect.poll(() => test.bot.view().state).toBe('stopping');
    clock.pass(10_000);
    const { asked } = test.task;
    await expect.poll(() => test.task.asked).toBeGreaterThan(asked + 2);
    expect(isAlive(bot)).toBe(true);
    process.kill(task, 'SIGTERM');
    await stopped;

    expect(test.read('task_runner.term')).toBeUndefined();
    expect(test.read('after-task')).toBe('1');
    expect(test.exits).toEqual(['stopped']);
    expect(isAlive(orphan)).toBe(false);
  });

  it('ends the task by its task_runner when the grace is over, and all that it left', async () => {
    await using test = await newBot({ zip: { body: bots.withTask } }, { taskGraceSeconds: 0 });
    const pids = await running(test, ...withTask);

    await test.bot.stop();

    expect(test.read('task_runner.term')).toBe('1');
    expect(test.read('after-task')).toBe('1');
    expect(pids.filter(isAlive)).toEqual([]);
  });

  it('does not wait for a folder that another agent has', async () => {
    await using test = await newBot({ zip: {} });
    await running(test, 'bot.pid');
    const events: string[] = [];
    const second = new InitProcess({
      python: await patientPython(),
      botDir: test.botDir,
      env: {},
      onEvent: ({ event }) => events.push(event),
      onLine: () => undefined,
    });

    second.send('kill');
    await second.ended;

    expect(events).toEqual(['busy']);
    expect(isAlive(test.pid('bot.pid'))).toBe(true);
  });

  it('kills what does not listen', async () => {
    await using test = await newBot(
      { zip: { body: bots.withStubbornTask }, limits: { taskEndMs: 300 } },
      { taskGraceSeconds: 0 },
    );
    const pids = await running(test, 'bot.pid', 'task_runner.pid', 'task.pid');

    await test.bot.stop();

    expect(pids.filter(isAlive)).toEqual([]);
    expect(test.exits).toEqual(['stopped']);
  });

  it('does not wait long for a bot that has no task', async () => {
    await using test = await newBot({ zip: { body: bots.deaf }, limits: { idleMs: 300 } });
    const [bot = 0] = await running(test, 'bot.pid');

    await test.bot.stop();

    expect(isAlive(bot)).toBe(false);
  });

  it('waits for a task that hooks report', async () => {
    await using test = await newBot({ zip: { body: bots.deaf }, limits: { idleMs: 100 } });
    const [bot = 0] = await running(test, 'bot.pid');
    test.task.isRunning = true;

    const stopped = test.bot.stop();
    await expect.poll(() => test.task.asked).toBeGreaterThan(3);
    expect(isAlive(bot)).toBe(true);
    test.task.isRunning = false;
    await stopped;

    expect(isAlive(bot)).toBe(false);
  });

  it('restarts after the task, and a stop meanwhile counts', async () => {
    await using test = await newBot({ zip: { body: bots.withTask } }, { taskGraceSeconds: 0 });
    const pids = await running(test, ...withTask);

    const restarted = test.bot.restart('a new server');
    expect(test.bot.view()).toMatchObject({ state: 'stopping', why: 'a new server' });
    await test.bot.stop();
    await restarted;

    expect(pids.filter(isAlive)).toEqual([]);
    expect(test.counts().starts).toBe(1);
  });

  it('may come before the start, and while it is downloaded', async () => {
    await using early = await newBot();
    await early.bot.stop();
    await using hanging = await newBot();
    hanging.server.answer = () => undefined;
    hanging.start();
    await expect.poll(() => hanging.server.requests.length).toBe(1);

    await hanging.bot.stop();

    expect(early.bot.view().state).toBe('stopped');
    expect(hanging.bot.view().state).toBe('stopped');
  });
});
