/** Against the simulated Swarming and its bot, whose author knew only what the real ones do. */

import { readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, systemClock } from '@skolo/common/light';
import {
  type Relay,
  type SimulatedSwarming,
  type SwarmingOptions,
  startSwarming,
} from '@skolo/simulators';
import { lacks } from '@skolo/simulators/peer';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { processes, withDescendants } from '../host/processes.ts';
import { isAlive, newBot, type TestBot } from './testing/new-bot.ts';

const id = 'machine-1';

interface Lab {
  test: TestBot;
  swarming: SimulatedSwarming;
  relay: Relay;
  [Symbol.asyncDispose]: () => Promise<void>;
}

async function newLab(
  deps: Parameters<typeof newBot>[0] = {},
  changes: Parameters<typeof newBot>[1] = {},
  times: SwarmingOptions['times'] = {},
): Promise<Lab> {
  const swarming = await startSwarming({
    times,
    accepts: (token, bot) => token === 'the-token' && bot === id,
    hookScript: `def get_authentication_headers(bot):
  return {'Authorization': 'Bearer the-token'}, None
`,
  });
  const relay = await swarming.behindRelay();
  const test = await newBot(deps, { server: swarming.url, ...changes });
  return {
    test,
    swarming,
    relay,
    async [Symbol.asyncDispose]() {
      await test[Symbol.asyncDispose]();
      await swarming.close();
    },
  };
}

/** It has begun, and has rewritten its zip after its first poll: a kill would have left that by half. @returns its pid */
async function polling({ test, swarming }: Lab): Promise<number> {
  test.start();
  const polls = () => swarming.bots.get(id)?.polls ?? 0;
  const before = polls();
  await expect.poll(polls).toBeGreaterThan(before + 1);
  return test.bot.view().pid ?? Number.NaN;
}

function eventsOf({ swarming }: Lab): string[] {
  return swarming.bot(id).events.map(({ event }) => event);
}

/** The time of the system, moved on where a test says so. */
function movableClock(): Clock & { move(seconds: number): void } {
  let moved = 0;
  return {
    now: () => systemClock.now() + moved * 1000,
    uptime: () => systemClock.uptime() + moved,
    presence: systemClock.presence,
    move(seconds) {
      moved += seconds;
    },
  };
}

/** A command that says "up", and leaves behind what no mark and no session tells of. */
const leavesOrphan = `import os, sys, time
print('up', flush=True)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0: os.execve('/bin/sleep', ['sleep', '613'], {})
    os._exit(0)
os.wait()
time.sleep(600)`;

const at = /GET \/bot_code/;
const faults: [string, (lab: Lab) => unknown][] = [
  ['a reset', ({ relay }) => relay.inject({ at, effect: 'reset', times: 2 })],
  ['a delay', ({ relay }) => relay.inject({ at, effect: 'wait', milliseconds: 50, times: 2 })],
  [
    'half a zip',
    ({ relay }) =>
      relay.inject({ at: /GET \/swarming/, after: { answered: 5000 }, effect: 'reset', times: 2 }),
  ],
  [
    'no zip',
    ({ swarming }) =>
      swarming.script({ status: 200, body: Buffer.alloc(5000, 7) }, { at: ['zip'], times: 2 }),
  ],
  [
    'a rejection',
    ({ swarming }) => swarming.script({ status: 403 }, { at: ['bot_code'], times: 2 }),
  ],
];

describe.skipIf(lacks('python3'))('the bot of the simulated Swarming', () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await newLab();
  });
  afterAll(() => lab[Symbol.asyncDispose]());
  // So that a test that fails does not make the next ones fail.
  afterEach(async () => {
    lab.swarming.behave();
    lab.relay.mend();
    await lab.swarming.comeUp();
  });

  /** What happens from now on. */
  function since({ test, swarming }: Lab) {
    const [exits, { handshakes }] = [test.exits.length, swarming.bot(id)];
    const { downloads } = structuredClone(test.counts());
    return {
      exits: () => test.exits.slice(exits),
      handshakes: () => swarming.bot(id).handshakes - handshakes,
      downloads: () => ({
        ok: test.counts().downloads.ok - downloads.ok,
        failed: test.counts().downloads.failed - downloads.failed,
      }),
    };
  }

  it('is fetched, polls, and runs a task', async () => {
    const { swarming } = lab;
    const pid = await polling(lab);
    const task = swarming.addTask({ python: 'import os; print(os.environ.get("NODE_OPTIONS"))' });

    await expect.poll(() => swarming.task(task).state).toBe('completed');

    expect(swarming.task(task)).toMatchObject({ output: 'None\n', exitCode: 0 });
    expect(swarming.bot(id).pid).toBe(pid);
    expect(swarming.downloads).toBe(1);
  });

  it.each(faults)('comes up after %s', async (fault, begin) => {
    const { test } = lab;
    const pid = await polling(lab);
    const { downloads, exits } = since(lab);
    begin(lab);

    await rm(join(test.botDir, 'swarming_bot.zip'));
    process.kill(pid, 'SIGKILL');
    await polling(lab);

    expect(exits()).toEqual(['killed']);
    expect(downloads()).toEqual({ ok: 1, failed: fault === 'a delay' ? 0 : 2 });
  });

  it.each<[string, (zip: Buffer) => Buffer]>([
    ['empty', () => Buffer.alloc(0)],
    ['cut short', (zip) => zip.subarray(0, zip.length - 300)],
    ['noise', () => Buffer.from('noise '.repeat(2000))],
  ])('is fetched anew when its zip is %s, and only then', async (_, damage) => {
    const { test } = lab;
    const first = await polling(lab);
    const { handshakes, downloads } = since(lab);
    const path = join(test.botDir, 'swarming_bot.zip');

    process.kill(first, 'SIGKILL');
    await expect.poll(handshakes).toBe(1);
    expect(downloads()).toEqual({ ok: 0, failed: 0 });
    process.kill(test.bot.view().pid ?? Number.NaN, 'SIGSTOP');
    await writeFile(path, damage(readFileSync(path)));
    process.kill(test.bot.view().pid ?? Number.NaN, 'SIGKILL');

    await expect.poll(handshakes).toBe(2);
    expect(downloads()).toEqual({ ok: 1, failed: 0 });
  });

  it('is started from its zip while the server is away', async () => {
    const { test, swarming } = lab;
    const pid = await polling(lab);
    const { handshakes, downloads } = since(lab);
    const { starts } = test.counts();
    await swarming.goDown();

    process.kill(pid, 'SIGKILL');

    await expect.poll(() => test.counts().starts).toBe(starts + 1);
    await swarming.comeUp();
    await expect.poll(handshakes).toBe(1);
    expect(downloads()).toEqual({ ok: 0, failed: 0 });
  });

  it('keeps its pid over an update and a restart of its own', async () => {
    const { test, swarming } = lab;
    const pid = await polling(lab);
    const { handshakes, exits } = since(lab);

    const version = swarming.askUpdate();
    await expect.poll(() => swarming.bot(id).version).toBe(version);
    swarming.askRestart();
    await expect.poll(handshakes).toBe(2);

    expect(exits()).toEqual([]);
    expect(test.bot.view()).toMatchObject({ state: 'running', pid });
    expect(swarming.bot(id).pid).toBe(pid);
  });

  it('is started again after a reboot that it asked for, also once it has updated itself', async () => {
    const { swarming } = lab;
    await polling(lab);
    const { handshakes, exits } = since(lab);

    swarming.askReboot();
    await expect.poll(exits).toEqual(['rebooted']);
    await expect.poll(handshakes).toBe(1);
    const version = swarming.askUpdate();
    await expect.poll(() => swarming.bot(id).version).toBe(version);
    swarming.askReboot();

    await expect.poll(exits).toEqual(['rebooted', 'rebooted']);
    await expect.poll(handshakes).toBe(3);
  });

  it.each([
    ['terminated', 'ended'],
    ['exception', 'failed'],
    ['killed', 'killed'],
    [7, 'failed'],
  ] as const)('is started again when it is %s', async (how, exit) => {
    const { swarming } = lab;
    await polling(lab);
    const { handshakes, exits } = since(lab);

    if (how === 'terminated') swarming.terminate();
    else swarming.askCrash(how);

    await expect.poll(exits).toEqual([exit]);
    await expect.poll(handshakes).toBe(1);
  });

  it('ends after its task when the agent is stopped, and signs off', async () => {
    const { swarming, test } = lab;
    await polling(lab);
    const { exits } = since(lab);
    const farewells = () => eventsOf(lab).filter((event) => event === 'bot_shutdown').length;
    const before = farewells();
    const go = join(test.folder, 'go');
    const task = swarming.addTask({
      python: `import os, time\nprint('up', flush=True)\nwhile not os.path.exists('${go}'): time.sleep(0.05)`,
    });
    await expect.poll(() => swarming.task(task).output).toContain('up');

    const stopped = test.bot.stop();
    const { asked } = test.task;
    await expect.poll(() => test.task.asked).toBeGreaterThan(asked + 1);
    await writeFile(go, '');
    await stopped;

    expect(swarming.task(task)).toMatchObject({ state: 'completed', exitCode: 0 });
    expect(farewells()).toBe(before + 1);
    expect(exits()).toEqual(['stopped']);
  });
});

describe.skipIf(lacks('python3'))('a bot of the simulated Swarming', () => {
  it('comes up after silence', async () => {
    await using lab = await newLab({ limits: { stallMs: 2000 } });
    const { relay, test } = lab;
    relay.inject({ at, effect: 'silence', times: 2 });

    await polling(lab);

    expect(test.counts().downloads).toMatchObject({ ok: 1 });
    expect(test.counts().downloads.failed).toBeGreaterThanOrEqual(2);
  });

  it('is silent when it hangs, ended, and started again; but not while its task runs', async () => {
    const clock = movableClock();
    await using lab = await newLab({ clock, limits: { idleMs: 300 } }, { taskGraceSeconds: 0 });
    const { swarming, test } = lab;
    await polling(lab);
    test.bot.hookCalled('get_state');
    const seen: string[] = [];
    test.onChange(() => seen.push(`${test.bot.view().state} ${test.bot.view().isHealthy}`));
    swarming.askCrash('hang');
    await expect.poll(() => swarming.bot(id).commands.at(-1)).toBe('simulated_crash');

    clock.move(300);
    await test.looked();
    expect(test.bot.view()).toMatchObject({ state: 'running', isHealthy: true });
    clock.move(300);

    await expect.poll(() => test.exits).toEqual(['silent']);
    expect(seen).toContain('silent false');
    expect(test.bot.view().lastExit?.text).toContain('the bot did not call its hooks');
    await expect.poll(() => swarming.bot(id).handshakes).toBe(2);

    // Whether hooks reported the task or not.
    const pid = await polling(lab);
    const task = swarming.addTask({ python: leavesOrphan });
    await expect.poll(() => swarming.task(task).output).toContain('up');
    for (const seconds of [601, 3600]) {
      clock.move(seconds);
      await test.looked();
    }
    expect(test.bot.view()).toMatchObject({ state: 'running', pid, starts: 2 });

    // The grace of its task is over.
    const tree = [...withDescendants([pid], processes())];
    await test.bot.stop();
    expect(tree.length).toBeGreaterThan(2);
    expect(tree.filter(isAlive)).toEqual([]);
    expect(swarming.task(task).state).toBe('failed');
    expect(swarming.task(task).error).toMatch(/signal 15/);
    expect(eventsOf(lab)).toContain('bot_shutdown');
  });

  it('ends in order also where its update of itself meets the request, with work waiting', async () => {
    await using lab = await newLab({}, {}, { farewell: 1 });
    const { swarming, test } = lab;
    await polling(lab);
    swarming.askUpdate();
    await expect.poll(() => eventsOf(lab)).toContain('bot_shutdown');
    const tasks = Array.from({ length: 100 }, () => swarming.addTask({ python: '' }));

    await test.bot.restart('other settings');

    // By itself, or before it could catch the signal; never by SIGKILL.
    const words = () => test.bot.view().lastExit?.text ?? '';
    await expect.poll(words).toMatch(/^stopped .*(status 0|signal 15)/);
    expect(tasks.map((task) => swarming.task(task).state)).toContain('pending');
  });

  it('leaves nothing of its task when it is killed', async () => {
    await using lab = await newLab();
    const { swarming, test } = lab;
    const pid = await polling(lab);
    const task = swarming.addTask({ python: leavesOrphan });
    await expect.poll(() => swarming.task(task).output).toContain('up');
    const tree = [...withDescendants([pid], processes())];

    process.kill(pid, 'SIGKILL');
    await expect.poll(() => swarming.bot(id).handshakes).toBe(2);

    expect(tree.filter(isAlive)).toEqual([]);
    expect(test.exits).toEqual(['killed']);
    const { lateUpdates } = swarming.task(task);
    const polls = swarming.bot(id).polls;
    await expect.poll(() => swarming.bot(id).polls).toBeGreaterThan(polls + 2);
    expect(swarming.task(task).lateUpdates).toBe(lateUpdates);
  });
});
