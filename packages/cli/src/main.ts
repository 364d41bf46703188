/** The only file that uses `process`. */
import { createInterface, type Interface } from 'node:readline';
import { Writable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { isDiskFull } from '@skolo/base';
import { exitCodes } from './errors.ts';
import type { Io } from './io.ts';
import { printable } from './output/text.ts';
import { complete } from './program.ts';

const { stdin, stdout, stderr } = process;

const stopListeners = new Set<() => void>();
let isUnread = false;

for (const stream of [stdout, stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    // A failure of standard error cannot be reported.
    if (error.code !== 'EPIPE') {
      if (stream === stdout)
        stderr.write(`skolo: cannot write to standard output: ${reasonOf(error)}\n`);
      process.exit(exitCodes.failed);
    }
    // The reader has closed the pipe (`| head`).
    if (stopListeners.size === 0 && !isUnread) process.exit(process.exitCode ?? exitCodes.done);
    isUnread = true;
    for (const listener of stopListeners) listener();
  });
}

function reasonOf(error: Error): string {
  return isDiskFull(error) ? 'the disk is full; free some space' : error.message;
}

const io: Io = {
  out: (text) => stdout.write(`${printable(text, io.colour)}\n`),
  err: (text) => stderr.write(`${printable(text, io.colour)}\n`),
  raw: (data) => new Promise((resolve) => stdout.write(data, () => resolve())),
  isTerminal: stdout.isTTY === true,
  // Windows can be resized. 0 if the terminal does not know its size.
  get columns() {
    return stdout.isTTY ? stdout.columns || undefined : undefined;
  },
  get rows() {
    return stdout.isTTY && process.env.TERM !== 'dumb' ? stdout.rows || undefined : undefined;
  },
  // hasColors knows NO_COLOR, FORCE_COLOR and TERM=dumb.
  colour: stdout.isTTY && stdout.hasColors(),
  now: Date.now,
  onStop(listener) {
    stopListeners.add(listener);
    for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, listener);
    return () => {
      stopListeners.delete(listener);
      for (const signal of ['SIGINT', 'SIGTERM']) process.off(signal, listener);
    };
  },
  onSignal(listener) {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, listener);
    return () => {
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.off(signal, listener);
    };
  },
  env: process.env,
  folder: process.cwd(),
  canAsk: stdin.isTTY === true,
  // The terminal edits the line, and Ctrl-C ends the process.
  ask: (question) =>
    askOn(createInterface({ input: stdin, output: stderr, terminal: false }), question),
  async askSecret(question) {
    if (stdin.isTTY !== true) return (await text(stdin)).split('\n', 1)[0];
    // readline echoes typed text to its own output. From here on, the terminal shows nothing.
    const output = new Writable({ write: (_data, _encoding, done) => done() });
    const lines = createInterface({ input: stdin, output, terminal: true });
    lines.on('SIGINT', () => {
      lines.close();
      process.kill(process.pid, 'SIGINT');
    });
    stderr.write(question);
    const line = await askOn(lines, '');
    stderr.write('\n');
    return line;
  },
  input: () => buffer(stdin),
  exitCode: exitCodes.done,
};

function askOn(lines: Interface, question: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    lines.on('close', () => resolve(undefined));
    lines.question(question, (line) => {
      resolve(line);
      lines.close();
    });
  });
}

/** Not `process.exit`, which would truncate output to a pipe. */
function end(exitCode: number) {
  process.exitCode = exitCode;
  // A shell ends its loop only if the signal ended the command.
  if (exitCode === exitCodes.interrupted) process.kill(process.pid, 'SIGINT');
}

const debug = process.env.SKOLO_DEBUG === '1' ? console.error : undefined;
end(await complete(process.argv.slice(2), io, debug));
