/** The same with each Python that is there: what the bot runs on, the agent's two programs run on. */

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { lacks } from '@skolo/simulators/peer';
import { describe, expect, it } from 'vitest';
import { pythonFolder } from '../package-files.ts';
import { isAlive, newBot } from './testing/new-bot.ts';
import { python, pythons } from './testing/python.ts';
import { bots } from './testing/stub-bot.ts';

describe.skipIf(lacks('python3'))('on each Python', () => {
  it.each([...new Set([python ?? '', ...pythons])])('%s', async (path) => {
    await using test = await newBot(
      { zip: { body: bots.withTask } },
      { python: path, taskGraceSeconds: 0 },
    );
    const files = ['bot.pid', 'task_runner.pid', 'task.pid', 'orphan.pid'];
    for (const name of ['bot_init.py', 'check_bot_zip.py']) {
      const compile = 'import sys; compile(open(sys.argv[1]).read(), sys.argv[1], "exec")';
      await promisify(execFile)(path, ['-W', 'error', '-c', compile, join(pythonFolder, name)]);
    }

    test.start();
    for (const file of files) await expect.poll(() => test.pid(file)).toBeGreaterThan(0);
    await test.bot.stop();

    expect(files.map(test.pid).filter(isAlive)).toEqual([]);
    expect(test.read('task_runner.term')).toBe('1');
  });
});
