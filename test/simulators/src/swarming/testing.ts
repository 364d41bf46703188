/** A folder with the bot that a server hands out, and the bot in it: as whoever starts bots sees it. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'vitest';
import type { SimulatedSwarming } from './server.ts';

export const python = process.env.SKOLO_TEST_PYTHON ?? findPython();

export interface BotProcess {
  readonly folder: string;
  readonly pid: number;
  readonly stderr: () => string;
  readonly exit: Promise<{ status: number | null; signal: NodeJS.Signals | null }>;
  kill(signal: NodeJS.Signals): void;
}

/** Downloads it, as its launcher does. */
export async function botFolder(context: TestContext, server: SimulatedSwarming): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'swarming-'));
  context.onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 20 }));
  const answer = await fetch(`${server.url}/bot_code`, {
    headers: { 'x-luci-swarming-bot-id': 'bot-1' },
  });
  writeFileSync(join(folder, 'swarming_bot.zip'), Buffer.from(await answer.arrayBuffer()));
  return folder;
}

export interface BotOptions {
  args?: readonly string[];
  env?: NodeJS.ProcessEnv;
}

/** It, and all that it leaves behind, is ended with the test. */
export function startBot(
  context: TestContext,
  folder: string,
  { args = ['start_bot'], env = {} }: BotOptions = {},
): BotProcess {
  const { PATH } = process.env;
  const child: ChildProcess = spawn(python ?? 'python3', [zipIn(folder), ...args], {
    env: { PATH, SWARMING_BOT_ID: 'bot-1', SWARMING_EXTERNAL_BOT_SETUP: '1', HOME: '/', ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr?.on('data', (data: Buffer) => {
    said += data.toString();
  });
  const exit = once(child, 'exit').then(([status, signal]) => ({ status, signal }));
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

/** Ids of the processes that name the folder on their command line. */
export function processesOf(folder: string): number[] {
  const all = execFileSync('ps', ['-e', '-o', 'pid=,args='], { encoding: 'utf8' }).split('\n');
  return all.filter((line) => line.includes(`${folder}/`)).map((line) => Number.parseInt(line, 10));
}

export function commandLine(pid: number): string {
  const file = `/proc/${pid}/cmdline`;
  return existsSync(file) ? readFileSync(file, 'utf8').replaceAll('\0', ' ').trim() : '';
}

function findPython(): string | undefined {
  try {
    return execFileSync('which', ['python3'], { encoding: 'utf8' }).trim();
  } catch {
    return undefined;
  }
}
