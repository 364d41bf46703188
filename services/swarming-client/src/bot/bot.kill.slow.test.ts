import { errorCode } from '@skolo/base';
import { lacks } from '@skolo/simulators/peer';
import { describe, expect, it } from 'vitest';
import { argumentsOf, processes } from '../host/processes.ts';
import { botsIn, openFiles, zombiesBelow } from '../testing/bot-processes.ts';
import { startAgent } from './testing/agent-process.ts';
import { commandIn, noNamespaces } from './testing/namespaces.ts';
import { isAlive, newBot, type TestBot } from './testing/new-bot.ts';
import { bots } from './testing/stub-bot.ts';

function initsOf(botDir: string): number[] {
  return [...processes().values()].flatMap(({ pid }) => {
    const args = argumentsOf(pid);
    return args.some((arg) => arg.endsWith('/bot_init.py')) && args.includes(botDir) ? [pid] : [];
  });
}

/** All that belongs to a folder, marked or not: by the paths on its command line. */
function allOf(botDir: string): number[] {
  return [...processes().values()].flatMap(({ pid, isZombie }) =>
    !isZombie && argumentsOf(pid).some((arg) => arg.startsWith(botDir)) ? [pid] : [],
  );
}

/** One may have ended with another that was killed a moment before. */
function killIfThere(pid: number) {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (errorCode(error) !== 'ESRCH') throw error;
  }
}

async function inTask(test: TestBot) {
  for (const file of ['task_runner.pid', 'task.pid', 'orphan.pid']) {
    await expect.poll(() => isAlive(test.pid(file))).toBe(true);
  }
}

const body = `for name in ('task_runner.pid', 'task.pid', 'orphan.pid'):
    if os.path.exists(name): os.unlink(name)
${bots.withTask}`;

/** Those of the bot, and those of the agent that watch over them. */
const [own, inits] = [
  ['bot', 'task_runner', 'task'],
  ['keeper', 'guard', 'both inits'],
];

describe.skipIf(lacks('python3'))('a bot whose processes are killed', () => {
  it('leaves nothing of them, whichever is killed', async () => {
    await using test = await newBot({ zip: { body } });
    test.start();
    let starts = 1;

    for (const victim of [...own, ...inits]) {
      await inTask(test);
      const bot = test.bot.view().pid ?? Number.NaN;
      const before = allOf(test.botDir).filter((pid) => pid !== process.pid);
      const [guard = 0, keeper = 0] = initsOf(test.botDir).sort((a, b) => a - b);
      const victims: Record<string, number[]> = {
        bot: [bot],
        keeper: [keeper],
        guard: [guard],
        'both inits': [guard, keeper],
        task_runner: [test.pid('task_runner.pid'), bot],
        task: [test.pid('task.pid')],
      };

      for (const pid of victims[victim] ?? []) killIfThere(pid);

      // Unless both inits are killed in one moment; then only what carries the mark can be found.
      const orphan = victim === 'both inits' ? test.pid('orphan.pid') : undefined;
      const left = () => before.filter((pid) => isAlive(pid) && pid !== orphan);
      await expect.poll(left, { message: victim }).toEqual([]);
      if (orphan !== undefined) killIfThere(orphan);
      starts += 1;
      await expect
        .poll(() => test.bot.view(), { message: victim })
        .toMatchObject({ state: 'running', starts });
      await expect.poll(() => botsIn(test.botDir), { message: victim }).toHaveLength(1);
      await expect.poll(() => zombiesBelow(process.pid), { message: victim }).toEqual([]);
    }
  });

  it('ends with the agent, and with the next one there is one bot', async () => {
    await using test = await newBot({ zip: { body } }, { taskGraceSeconds: 0 });
    await using first = startAgent(test.settings);
    await inTask(test);
    const before = allOf(test.botDir).filter((pid) => pid !== first.pid);

    await first.kill('SIGKILL');
    await using second = startAgent(test.settings);

    await expect.poll(() => second.state.state).toBe('running');
    expect(before.filter(isAlive)).toEqual([]);
    await expect.poll(() => botsIn(test.botDir)).toEqual([second.state.pid]);
    await second.kill('SIGTERM');
    expect(allOf(test.botDir)).toEqual([]);
  });

  it('leaves no descriptor and no zombie in the agent', async () => {
    await using test = await newBot(
      { zip: { body: 'sys.exit(1)' } },
      { backoffSeconds: { first: 0.1, most: 0.1 } },
    );
    test.start();
    await expect.poll(() => test.exits.length).toBeGreaterThan(1);
    const [exits, before] = [test.exits.length, openFiles(process.pid)];

    await expect.poll(() => test.exits.length).toBeGreaterThan(exits + 4);

    await test.bot.stop();
    expect(openFiles(process.pid)).toBeLessThanOrEqual(before + 2);
    await expect.poll(() => zombiesBelow(process.pid)).toEqual([]);
  });

  it('waits while another agent has the folder', async () => {
    await using test = await newBot({ zip: {} });
    await using other = startAgent(test.settings);
    await expect.poll(() => other.state.state).toBe('running');

    test.start();
    await expect
      .poll(() => test.bot.view().why)
      .toBe(
        `${test.botDir} is locked by another agent, or by an earlier bot that is still running`,
      );
    await expect.poll(() => botsIn(test.botDir)).toEqual([other.state.pid]);
    await other.kill('SIGTERM');

    await expect.poll(() => test.bot.view().state).toBe('running');
    await expect.poll(() => botsIn(test.botDir)).toEqual([test.bot.view().pid]);
  });
});

describe.skipIf(lacks('python3') ?? noNamespaces)('an agent in a container', () => {
  it('keeps its bot and its task while another agent starts whose folder has the same path', async () => {
    await using test = await newBot({ zip: { body } }, { taskGraceSeconds: 0 });
    const hidden = `mount -t tmpfs none '${test.folder}'`;
    await using container = startAgent(test.settings, commandIn('container', hidden));
    const lastWords = () => allOf(test.botDir).map((pid) => argumentsOf(pid).at(-1));
    // Guard, keeper, bot, task_runner, task and orphan; what started the orphan has ended.
    await expect.poll(() => lastWords().includes('clean') && lastWords().length).toBe(6);
    const before = allOf(test.botDir);

    test.start();
    await inTask(test);
    await test.bot.stop();

    expect(before.filter(isAlive)).toEqual(before);
    expect(container.state).toMatchObject({ state: 'running', starts: 1 });
  });

  it('keeps both also where it has the folder that the other one wants', async () => {
    await using test = await newBot({ zip: { body } }, { taskGraceSeconds: 0 });
    await using container = startAgent(test.settings, commandIn('pid'));
    await inTask(test);
    const before = allOf(test.botDir);

    test.start();
    await expect
      .poll(() => test.bot.view().why)
      .toBe(
        `${test.botDir} is locked by another agent, or by an earlier bot that is still running`,
      );
    await test.bot.stop();

    expect(before.filter(isAlive)).toEqual(before);
    expect(container.state).toMatchObject({ state: 'running', starts: 1 });
  });
});
