/** A folder with the bot that a server hands out, and the bot in it: as whoever starts bots sees it. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once as event } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, type TestContext } from 'vitest';
import { lacks } from '../peer.ts';
import { findPython } from '../python.ts';
import { type SimulatedSwarming, type SwarmingOptions, startSwarming } from './server.ts';

export const python = findPython();

interface BotProcess {
  readonly folder: string;
  readonly pid: number;
  readonly stderr: () => string;
  readonly exit: Promise<{ status: number | null; signal: NodeJS.Signals | null }>;
  kill(signal: NodeJS.Signals): void;
}

/** Downloads it, as its launcher does. */
async function botFolder(context: TestContext, server: SimulatedSwarming): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'swarming-'));
  context.onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 20 }));
  const answer = await fetch(`${server.url}/bot_code`, {
    headers: { 'x-luci-swarming-bot-id': 'bot-1', authorization: 'Bearer downloader' },
  });
  writeFileSync(join(folder, 'swarming_bot.zip'), Buffer.from(await answer.arrayBuffer()));
  return folder;
}

interface BotOptions {
  args?: readonly string[];
  env?: NodeJS.ProcessEnv;
}

/** It, and all that it leaves behind, is ended with the test. */
export function startBot(
  context: TestContext,
  folder: string,
  { args = ['start_bot'], env = {} }: BotOptions = {},
): BotProcess {
  const PATH = `/usr/bin:${process.env.PATH}`;
  const child: ChildProcess = spawn(python ?? 'python3', [zipIn(folder), ...args], {
    env: { PATH, SWARMING_BOT_ID: 'bot-1', SWARMING_EXTERNAL_BOT_SETUP: '1', HOME: '/', ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr?.on('data', (data: Buffer) => {
    said += data.toString();
  });
  const exit = event(child, 'exit').then(([status, signal]) => ({ status, signal }));
  context.onTestFinished(async () => {
    child.kill('SIGKILL');
    await exit;
    for (const pid of processesOf(folder)) process.kill(pid, 'SIGKILL');
  });
  return {
    folder,
    pid: child.pid ?? 0,
    stderr: () => said,
    exit,
    kill: (signal) => child.kill(signal),
  };
}

export function zipIn(folder: string): string {
  return join(folder, 'swarming_bot.zip');
}

/** Ids of the processes that name the folder on their command line, as the bot's do, or work in it, as tasks do. */
export function processesOf(folder: string): number[] {
  const all = execFileSync('ps', ['-e', '-o', 'pid=,args='], { encoding: 'utf8' }).split('\n');
  return all
    .map((line) => ({ line, pid: Number.parseInt(line, 10) }))
    .filter(({ line, pid }) => `${line} ${workingFolder(pid)}/`.includes(`${folder}/`))
    .map(({ pid }) => pid);
}

function workingFolder(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    // It has ended, or this is not Linux.
    return '';
  }
}

export function commandLine(pid: number): string {
  const file = `/proc/${pid}/cmdline`;
  return existsSync(file) ? readFileSync(file, 'utf8').replaceAll('\0', ' ').trim() : '';
}

/** A server, and a folder with its bot. */
export async function start(context: TestContext, options: SwarmingOptions = {}) {
  const why = lacks('python3', 'ps');
  if (python === undefined || why) return context.skip(why);
  const server = await startSwarming(options);
  context.onTestFinished(() => server.close());
  const folder = await botFolder(context, server);
  return { server, folder, shim: sudoShim(folder) };
}

/** With a bot that polls. */
export async function started(
  context: TestContext,
  options: SwarmingOptions = {},
  env: NodeJS.ProcessEnv = {},
) {
  const { server, folder, shim } = await start(context, options);
  const bot = startBot(context, folder, { env: { ...shim.env, ...env } });
  await expect.poll(() => server.bots.get('bot-1')?.polls ?? 0).toBeGreaterThan(0);
  return { server, folder, shim, bot };
}

/** A `sudo` that only writes down what it is asked, and by whom. */
function sudoShim(folder: string) {
  const bin = join(folder, 'logs', 'bin');
  const calls = join(folder, 'logs', 'sudo.txt');
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, 'sudo'), `#!/bin/sh\necho "$PPID $*" >> '${calls}'\n`);
  chmodSync(join(bin, 'sudo'), 0o755);
  const lines = () => (existsSync(calls) ? readFileSync(calls, 'utf8').trim().split('\n') : []);
  return {
    env: { PATH: `${bin}:/usr/bin:${process.env.PATH}` },
    calls: () => lines().map((line) => line.replace(/^\d+ /, '')),
    parents: () => lines().map((line) => Number.parseInt(line, 10)),
  };
}

export function isAlive(pid: number): boolean {
  return commandLine(pid) !== '';
}
