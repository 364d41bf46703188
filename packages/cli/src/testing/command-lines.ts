/**
 * A process that runs skolo command lines one after the other, reusing loaded modules: starting Node and loading a rack's schema takes half
 * a second of CPU time, and sessions have hundreds of command lines.
 */
import {
  type ChildProcess,
  type ChildProcessByStdio,
  fork,
  spawn,
  spawnSync,
} from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { shellWord } from '@skolo/base';

const program = fileURLToPath(new URL('command-lines-process.ts', import.meta.url));

export interface Request {
  args: string[];
  dir: string;
  env: NodeJS.ProcessEnv;
}

export interface Ended {
  stdout: Uint8Array;
  stderr: string;
  exitCode: number;
}

export class CommandLines {
  readonly #folder = mkdtempSync(join(tmpdir(), 'skolo-lines-'));
  readonly #child: ChildProcess;

  constructor() {
    spawnSync('mkfifo', [join(this.#folder, 'calls')]);
    this.#child = fork(program, [this.#folder], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      // With which bytes are sent as they are.
      serialization: 'advanced',
    });
  }

  /**
   * A script that acts as skolo: the process reads the shell's own input, and prints to its output. Linux only. Redirections are in
   * subshells, so that the script's own input and output stay.
   */
  get script(): string {
    const folder = shellWord(this.#folder);
    return [
      // A closed file descriptor is not the shell's own.
      '[ -e /dev/fd/1 ] || exec >/dev/null',
      '[ -e /dev/fd/2 ] || exec 2>/dev/null',
      `mkfifo ${folder}/$$`,
      `exec 9<>${folder}/$$`,
      `(echo $$ >${folder}/calls)`,
      'exit "$(read -r code <&9; echo $code)"',
    ].join('\n');
  }

  /** One at a time. */
  async run(request: Request): Promise<Ended> {
    const answer = new AbortController();
    try {
      const { signal } = answer;
      const ended = Promise.race([
        once(this.#child, 'message', { signal }).then(([message]: Ended[]) => message),
        once(this.#child, 'exit', { signal }).then(() => undefined),
      ]);
      this.#child.send(request);
      const found = await ended;
      if (!found) throw new Error(`it ended the process: skolo ${request.args.join(' ')}`);
      return found;
    } finally {
      answer.abort();
    }
  }

  async close(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const ended = once(this.#child, 'exit');
      this.#child.disconnect();
      await ended;
    }
    await rm(this.#folder, { recursive: true });
  }
}

/** One shell for many lines: a new one for each would cost a large process more than the line. */
export class Shell {
  readonly #folder = mkdtempSync(join(tmpdir(), 'skolo-shell-'));
  readonly #shell: ChildProcessByStdio<Writable, Readable, null>;
  readonly #said: AsyncIterator<string>;

  constructor() {
    this.#shell = spawn('sh', { cwd: this.#folder, stdio: ['pipe', 'pipe', 'inherit'], env: {} });
    this.#said = this.#shell.stdout.setEncoding('utf8')[Symbol.asyncIterator]();
    // Nothing is typed, and the input does not end.
    this.#shell.stdin.write('PATH=/usr/bin:/bin mkfifo idle\n');
  }

  async run(line: string, { cwd, env }: { cwd: string; env: NodeJS.ProcessEnv }): Promise<Ended> {
    const exports = Object.entries(env).flatMap(([name, value]) =>
      // Others are not valid shell names.
      value !== undefined && /^[A-Za-z_]\w*$/.test(name) ? [`${name}=${shellWord(value)}`] : [],
    );
    const own = `cd ${shellWord(cwd)}; export ${exports.join(' ')}; eval ${shellWord(line)}`;
    // Appended, because several programs on a line may print.
    this.#shell.stdin.write(`>out >err; (${own}) 0<>idle >>out 2>>err; printf '%s\\0' $?\n`);
    let said = '';
    while (!said.endsWith('\0')) {
      const { value, done } = await this.#said.next();
      if (done) throw new Error(`the shell has ended: ${line}`);
      said += value;
    }
    const [stdout, stderr] = await Promise.all([
      readFile(join(this.#folder, 'out')),
      readFile(join(this.#folder, 'err'), 'utf8'),
    ]);
    return { stdout, stderr, exitCode: Number(said.slice(0, -1)) };
  }

  async close(): Promise<void> {
    this.#shell.kill();
    await rm(this.#folder, { recursive: true });
  }
}
