/**
 * Whoever it is that is killed, at any moment: one bot at most, one again soon, and nothing left behind.
 * `SKOLO_LONG=1`: 200 kills; SKOLO_SEED as it was printed begins the same again.
 */

import { writeFile } from 'node:fs/promises';
import { pause } from '@skolo/base';
import { countRounds, isLong, seeded } from '@skolo/base/durable/fault-injection';
import { runCommand } from '@skolo/base/run-command';
import { testSeed } from '@skolo/base/testing';
import { peer } from '@skolo/simulators';
import { afterEach, expect, it } from 'vitest';
import { markVariable } from './bot/environment.ts';
import { checkZip, zipOf } from './bot/install.ts';
import {
  argumentsOf,
  processes,
  sendSignal,
  variableOf,
  withDescendants,
  workingFolder,
} from './host/processes.ts';
import type { AgentProcess } from './testing/agent-process.ts';
import { botsIn, openFiles, zombiesBelow } from './testing/bot-processes.ts';
import { Lab, machine } from './testing/lab.ts';

/** Few, as the agent takes long to start. */
const kills = countRounds(1);
/** It reads the command lines of all processes of the machine. */
const everyMs = isLong ? 100 : 300;
/** A kill comes within it, after a task was asked for: most are in the launch, in the task or in the reboot after it. */
const roundMs = 2000;
/** Connections that are under way at the moment of the count: a hook, a poll of what rack.yaml says, a look. */
const slackFiles = 8;
/** Its arguments name the folder, so that it is found whatever it does with its parents and its environment. */
const task = (dir: string) => `import os, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        args = [sys.executable, '-c', 'import time; time.sleep(600)', '${dir}/escaped']
        os.execve(sys.executable, args, {})
    os._exit(0)
time.sleep(0.7)`;

const victims = [
  'agent',
  'bot',
  'inits',
  'task_runner',
  'escaped',
  'adb',
  'stopped bot',
  'agent of a stopped bot',
  'bot, its zip empty',
] as const;
type Victim = (typeof victims)[number];

let lab: Lab | undefined;
let sampling: NodeJS.Timeout | undefined;
afterEach(async () => {
  clearInterval(sampling);
  await lab?.close();
  lab = undefined;
});

it(`one bot, and nothing left behind, after ${kills} kills`, async (context) => {
  if (!peer('python3')) context.skip('python3 is not installed');
  if (!peer('adb')) context.skip('adb is not installed');
  console.info(`kills of the agent and of all around it: ${kills}`);
  const random = seeded(testSeed());
  const phones = [{ serial: '0A1B2C3D', rebootMs: 300 }];
  const its = await Lab.open({ phones, isAdbProcess: true });
  lab = its;
  let most = 0;
  sampling = setInterval(() => {
    most = Math.max(most, botsIn(its.botDir).length);
  }, everyMs);
  let agent = await its.startAgent();
  await botIsBack(its, agent, 0);
  const files = openFiles(agent.pid);
  let longest = 0;

  for (let kill = 0; kill < kills; kill += 1) {
    if (!its.swarming.tasks.some(({ state }) => state === 'pending')) {
      its.swarming.addTask({ python: task(its.dir), graceSeconds: 1 });
    }
    // The moment of the kill is what the test is about.
    await pause(random() * roundMs);
    const victim = victims[Math.floor(random() * victims.length)] ?? 'agent';
    const polls = pollsOf(its);
    const from = performance.now();
    agent = await strike(victim, its, agent, random);

    await botIsBack(its, agent, polls);
    if (victim === 'inits') send(unprovable(its, agent), 'SIGKILL');
    longest = Math.max(longest, performance.now() - from);
    expect(most, victim).toBeLessThanOrEqual(1);
    await expect.poll(() => zombiesBelow(agent.pid), { message: victim }).toEqual([]);
  }

  await settled(its, agent);
  await expect.poll(() => openFiles(agent.pid)).toBeLessThanOrEqual(files + slackFiles);
  expect(await zipIsSound(its)).toBe(true);
  expect(await agent.end('SIGTERM')).toBe(0);
  expect(leftOf(its)).toEqual([]);
  console.info(`the longest until there was a bot that polls again: ${Math.round(longest)} ms`);
});

/** @returns the agent that runs then */
async function strike(
  victim: Victim,
  its: Lab,
  agent: AgentProcess,
  random: () => number,
): Promise<AgentProcess> {
  const bots = botsIn(its.botDir);
  switch (victim) {
    case 'agent':
      return await another(its, agent);
    case 'bot':
      send(bots, 'SIGKILL');
      return agent;
    case 'inits':
      send(withArgument(its, /\/bot_init\.py$/), 'SIGKILL');
      return agent;
    case 'task_runner':
      send(withArgument(its, /^task_runner$/), 'SIGKILL');
      return agent;
    case 'escaped':
      send(withArgument(its, /\/escaped$/), 'SIGKILL');
      return agent;
    case 'adb': {
      const pid = its.installation?.pid();
      send(pid === undefined ? [] : [pid], 'SIGKILL');
      return agent;
    }
    case 'stopped bot':
      send(bots, 'SIGSTOP');
      await pause(random() * 500);
      send(bots, 'SIGCONT');
      return agent;
    case 'agent of a stopped bot':
      send(bots, 'SIGSTOP');
      return await another(its, agent);
    case 'bot, its zip empty':
      if (bots.length > 0) await writeFile(zipOf(its.botDir), '');
      send(bots, 'SIGKILL');
      return agent;
  }
}

async function another(its: Lab, agent: AgentProcess): Promise<AgentProcess> {
  await agent.end('SIGKILL');
  return await its.startAgent();
}

function send(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) sendSignal(pid, signal);
}

function pollsOf({ swarming }: Lab): number {
  return swarming.bots.get(machine)?.polls ?? 0;
}

async function botIsBack(its: Lab, agent: AgentProcess, polls: number): Promise<void> {
  await expect.poll(() => pollsOf(its)).toBeGreaterThan(polls);
  await agent.until(({ bot }) => bot?.state === 'running');
}

/** No task waits or runs any more, and the agent knows. */
async function settled(its: Lab, agent: AgentProcess): Promise<void> {
  const { swarming } = its;
  const isOpen = ({ state }: { state: string }) => state === 'pending' || state === 'running';
  const look = async () => {
    const open = swarming.tasks.filter(isOpen).map(({ id, state }) => `${id} ${state}`);
    if (open.length === 0) return { open };
    // What stands in its way, for whoever reads that this has failed.
    const { health, bot, task } = await agent.status();
    const reasons = health?.reasons.map(({ text }) => text);
    return {
      open,
      reasons,
      bot: bot?.state,
      task,
      unhealthy: swarming.bots.get(machine)?.maintenance,
    };
  };
  await expect.poll(look).toEqual({ open: [] });
  await agent.until(({ task }) => task?.running === false);
}

function withArgument({ dir }: Lab, wanted: RegExp): number[] {
  return [...processes().keys()].filter((pid) => {
    const args = argumentsOf(pid);
    return args.some((arg) => wanted.test(arg)) && args.some((arg) => arg.startsWith(dir));
  });
}

/**
 * Both inits died in one moment, so these have no parent that tells whose they are, and they have cleared their
 * environment. The agent ends only what is proven to be its bot's (bot-process.ts), so the test ends them.
 */
function unprovable(its: Lab, agent: AgentProcess): number[] {
  const below = withDescendants([agent.pid], processes());
  return withArgument(its, /\/escaped$/).filter((pid) => !below.has(pid));
}

/** All that has the mark, the folder, or its name. */
function leftOf({ dir, botDir }: Lab): string[] {
  return [...processes().values()].flatMap(({ pid, isZombie }) => {
    const args = argumentsOf(pid);
    const isLeft =
      variableOf(pid, markVariable) === botDir ||
      workingFolder(pid)?.startsWith(dir) ||
      args.some((arg) => arg.startsWith(dir));
    return isLeft && !isZombie ? [args.join(' ')] : [];
  });
}

async function zipIsSound({ botDir, swarming }: Lab): Promise<boolean> {
  const check = await checkZip(zipOf(botDir), {
    run: runCommand,
    env: process.env,
    python: 'python3',
    server: swarming.url,
    timeoutMs: 60_000,
    signal: new AbortController().signal,
  });
  return check.isSound;
}
