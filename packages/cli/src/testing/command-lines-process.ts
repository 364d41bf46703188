/**
 * What {@link CommandLines} starts: it runs each command line that it is told, by a message or by a script, which is in the
 * first argument's folder until it has its exit code.
 */
import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { isatty, WriteStream } from 'node:tty';
import { errorCode } from '@skolo/base';
import type { Io } from '../io.ts';
import { printable } from '../output/text.ts';
import { complete } from '../program.ts';
import type { Ended, Request } from './command-lines.ts';
import { testIo } from './test-io.ts';

const [, , folder = ''] = process.argv;

/** Commands expect a process of their own, with its environment and working directory. */
async function run({ args, dir, env }: Request, given: Partial<Io>): Promise<number> {
  process.chdir(dir);
  for (const name of Object.keys(process.env)) delete process.env[name];
  Object.assign(process.env, env);
  return await complete(args, testIo({ env: process.env, folder: dir, ...given }));
}

process.on('message', async (request: Request) => {
  const stdout: Uint8Array[] = [];
  const stderr: string[] = [];
  const exitCode = await run(request, {
    out: (text) => stdout.push(Buffer.from(`${printable(text, false)}\n`)),
    err: (text) => stderr.push(`${printable(text, false)}\n`),
    raw: async (data) => void stdout.push(Buffer.from(data)),
  });
  const ended: Ended = { stdout: Buffer.concat(stdout), stderr: stderr.join(''), exitCode };
  process.send?.(ended);
});

/** The arguments of a script, from Linux's proc(5). */
async function runScript(pid: string): Promise<number> {
  const own = join('/proc', pid);
  const words = (file: string) => readFileSync(join(own, file), 'utf8').split('\0').slice(0, -1);
  const env = Object.fromEntries(words('environ').map((each) => each.split(/=(.*)/s, 2)));
  // Without the shell and its script.
  const request = { args: words('cmdline').slice(2), dir: readlinkSync(join(own, 'cwd')), env };
  const input = join(own, 'fd/0');
  const printed: { to: number; bytes: Uint8Array }[] = [];
  const add = (to: number, bytes: Uint8Array) => void printed.push({ to, bytes });
  async function flush() {
    for (const { to, bytes } of printed.splice(0)) await print(join(own, 'fd', String(to)), bytes);
  }
  const terminal = terminalOf(join(own, 'fd/1'), env);
  const { colour = false } = terminal;
  const exitCode = await run(request, {
    out: (text) => add(1, Buffer.from(`${printable(text, colour)}\n`)),
    err: (text) => add(2, Buffer.from(`${printable(text, colour)}\n`)),
    raw: async (data) => add(1, Buffer.from(data)),
    ...terminal,
    input: () => readFile(input),
    async ask(question) {
      add(2, Buffer.from(question));
      await flush();
      return await firstLine(input);
    },
    askSecret: async () => (await readFile(input, 'utf8')).split('\n', 1)[0],
  });
  await flush();
  return exitCode;
}

/** A terminal delivers one line at a time. */
async function firstLine(file: string): Promise<string> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read();
    return buffer.toString('utf8', 0, bytesRead).split('\n', 1)[0] ?? '';
  } finally {
    await handle.close();
  }
}

function answer(pid: string, exitCode: number): void {
  const file = join(folder, pid);
  writeFileSync(file, `${exitCode}\n`);
  rmSync(file);
}

/** `undefined` if there is nothing, or no reader is left. */
function opened(file: string): number | undefined {
  try {
    // Does not wait for a reader.
    return openSync(file, constants.O_WRONLY | constants.O_APPEND | constants.O_NONBLOCK);
  } catch (error) {
    if (['ENOENT', 'ENXIO'].includes(errorCode(error) ?? '')) return undefined;
    throw error;
  }
}

/** Of unknown height. */
function terminalOf(file: string, env: NodeJS.ProcessEnv): Partial<Io> {
  const fd = opened(file);
  if (fd === undefined) return {};
  if (!isatty(fd)) {
    closeSync(fd);
    return {};
  }
  const terminal = new WriteStream(fd);
  const { columns } = terminal;
  const colour = terminal.hasColors(env);
  terminal.destroy();
  return { isTerminal: true, canAsk: true, columns, colour };
}

async function print(file: string, bytes: Uint8Array): Promise<void> {
  const fd = opened(file);
  if (fd === undefined) return;
  if (!fstatSync(fd).isFIFO()) {
    writeSync(fd, bytes);
    closeSync(fd);
    return;
  }
  // A pipe accepts more once its reader has read some.
  const pipe = new Socket({ fd, readable: false, writable: true });
  await new Promise<void>((resolve) => {
    pipe.once('close', () => resolve()).once('error', () => {});
    pipe.end(bytes);
  });
}

const calls = openSync(join(folder, 'calls'), constants.O_RDWR | constants.O_NONBLOCK);
const pids = createInterface({
  // Does not keep the process alive.
  input: new Socket({ fd: calls, readable: true, writable: false }).unref(),
});
let last = Promise.resolve();
pids.on('line', (pid) => {
  last = last.then(async () => {
    const exitCode = await runScript(pid).catch((error: unknown) => {
      console.error(error);
      return 70;
    });
    answer(pid, exitCode);
  });
});
