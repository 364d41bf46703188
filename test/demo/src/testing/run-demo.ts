/** The demo as its own process, as started by `npm start`, in a temporary directory. */

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { isLong } from '@skolo/base/durable/fault-injection';
import type { AtTheEnd } from '@skolo/base/testing';
import { defaultTokenFolder } from '@skolo/rack/light';
import { peer } from '@skolo/simulators';
import { expect, onTestFinished } from 'vitest';
import { CommandLines } from '../../../../packages/cli/src/testing/command-lines.ts';
import { root } from '../folder/folders.ts';
import { type OneProcess, processes } from './processes.ts';

const run = promisify(execFile);

export interface DemoProcess {
  readonly pid: number;
  /** All that it has printed so far. */
  readonly output: string;
  /** Waits until it has printed this, after the previous match. */
  printed(pattern: RegExp): Promise<RegExpExecArray>;
  /** The printed command that matches this pattern, without its indentation. */
  command(pattern: RegExp): string;
  /** All printed commands, in their order. */
  commands(): string[];
  /** Processes that it started: the services and the guard. */
  children(): Promise<OneProcess[]>;
  /** Sends a signal, waits for the end, and returns the exit code. */
  end(signal?: NodeJS.Signals): Promise<number | null>;
  readonly ended: Promise<number | null>;
}

/** A directory for a demo, removed when the test ends. Its name contains a space, like those of people. */
export async function newFolder(atTheEnd: AtTheEnd = onTestFinished): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'skolo demo-'));
  atTheEnd(async () => {
    await rm(dir, { recursive: true, force: true });
    const inMemory = defaultTokenFolder(join(dir, 'state', 'metadata-server'));
    await rm(inMemory, { recursive: true, force: true });
  });
  return dir;
}

/**
 * Starts the demo; it ends with the test.
 *
 * @param sources of another version
 */
export function spawnDemo(
  args: string[],
  env: Record<string, string> = {},
  atTheEnd: AtTheEnd = onTestFinished,
  sources = root,
): DemoProcess {
  // What the demo looks for once, when it starts: asked for later, they come too late.
  for (const name of ['python3', 'adb'] as const) peer(name);
  const main = join(sources, 'test', 'demo', 'src', 'main.ts');
  const child = spawn(process.execPath, [main, ...args], {
    cwd: sources,
    // Half an hour of its rack takes half a minute.
    env: { ...process.env, SKOLO_DEMO_MINUTE_MS: '1000', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'close').then(() => child.exitCode);
  atTheEnd(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
    await ended;
  });
  return watch(child, ended);
}

/** Starts the demo in a directory and waits until it has printed the summary. */
export async function startDemo(
  dir: string,
  args: string[] = [],
  atTheEnd?: AtTheEnd,
): Promise<DemoProcess> {
  const demo = spawnDemo(['--dir', dir, ...args], {}, atTheEnd);
  await demo.printed(/Ctrl-C ends all of it/);
  return demo;
}

function watch(child: ChildProcess, ended: Promise<number | null>): DemoProcess {
  let output = '';
  let seen = 0;
  let onMore: () => void = () => undefined;
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
      onMore();
    });
  }
  const pid = child.pid ?? 0;

  return {
    pid,
    ended,
    get output() {
      return output;
    },
    printed(pattern) {
      return new Promise((resolve, reject) => {
        onMore = () => {
          const found = pattern.exec(output.slice(seen));
          if (!found) return;
          seen += found.index + found[0].length;
          resolve(found);
        };
        ended.then(
          () => reject(new Error(`ended without printing ${pattern}:\n${output}`)),
          reject,
        );
        onMore();
      });
    },
    command(pattern) {
      return (
        this.commands().find((command) => pattern.test(command)) ??
        expect.fail(`no command with ${pattern} in:\n${output}`)
      );
    },
    commands() {
      return [...output.matchAll(/^ {2}((?:curl|npx|printf) .*)$/gm)].map(([, line = '']) => line);
    },
    async children() {
      return (await processes()).filter(({ parent }) => parent === pid);
    },
    end(signal = 'SIGINT') {
      child.kill(signal);
      return ended;
    },
  };
}

/** The output of a printed curl command, even without curl. */
export async function ask(command: string): Promise<string> {
  const method = /-X (\w+)/.exec(command)?.[1] ?? 'GET';
  const localAddress = /--interface (\S+)/.exec(command)?.[1];
  const url = /http:\S+$/.exec(command)?.[0] ?? '';
  const asking = request(url, {
    method,
    headers: { 'metadata-flavor': 'Google' },
    agent: false,
    ...(localAddress !== undefined && { localAddress }),
  });
  asking.end();
  const [response] = (await once(asking, 'response')) as [IncomingMessage];
  return await text(response);
}

/** Runs a command like a user who pastes it into a shell. */
export async function pasted(command: string, sources = root): Promise<string> {
  const { stdout } = await run('sh', ['-c', command], { cwd: sources });
  return stdout;
}

const own = `'${process.execPath}' packages/cli/bin/skolo.js`;
/** Of a program that acts as skolo of these sources, in one process for all commands of a test file. */
let shared: string | undefined;

/** From now on, `shell` starts no process for each command. In `npm run test:long`, it does: half a second for each of hundreds. */
export async function shareCommands(atTheEnd: AtTheEnd): Promise<void> {
  if (isLong || !existsSync('/proc/self/fd')) return;
  const lines = new CommandLines();
  shared = await newFolder(atTheEnd);
  atTheEnd(() => {
    // The next test file may run in this process.
    shared = undefined;
    return lines.close();
  });
  await writeFile(join(shared, 'skolo'), `#!/bin/sh\n${lines.script}\n`, { mode: 0o755 });
}

/** Runs a command without npx, which takes longer to start than the command. */
export async function shell(command: string, sources = root): Promise<string> {
  if (sources !== root || shared === undefined)
    return await pasted(command.replaceAll('npx skolo', own), sources);
  // Another process can open a file, but not the socket that Node has as the output of a program.
  const out = join(shared, 'out');
  await pasted(`exec >'${out}'\n${command.replaceAll('npx skolo', `'${shared}/skolo'`)}`);
  return await readFile(out, 'utf8');
}

/** Starts a command like {@link shell} and lets it run; it ends with the test. Returns its output. */
export function leaveRunning(command: string): { readonly output: string } {
  // Its own group, so that whatever the shell starts can be ended, too.
  const child = spawn('sh', ['-c', command.replaceAll('npx skolo', own)], {
    cwd: root,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'close');
  onTestFinished(async () => {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGTERM');
    await ended;
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
    });
  }
  return {
    get output() {
      return output;
    },
  };
}

/** Changes a text file as editors do it. */
export async function edit(file: string, change: (text: string) => string): Promise<void> {
  await writeFile(`${file}~`, change(await readFile(file, 'utf8')));
  await rename(`${file}~`, file);
}
