/**
 * A process that runs one command line of skolo after the other, with what it has loaded for the first: to start Node
 * and load a rack's schema takes half a second of a processor, and sessions have hundreds of command lines.
 */
import { type ChildProcess, type ChildProcessByStdio, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { shellWord } from '@skolo/errors';

const program = fileURLToPath(new URL('command-lines-process.ts', import.meta.url));

export interface Request {
  args: string[];
  dir: string;
  env: NodeJS.ProcessEnv;
  /** Of the terminal that it prints to; undefined: none. */
  columns?: number | undefined;
}

export interface Ended {
  stdout: Uint8Array;
  stderr: string;
  exitCode: number;
}

/** No word has it. */
const mark = '\0end of words\0';

export class CommandLines {
  readonly #child: ChildProcess;
  /** Another shell for each line would cost this large process more than the line. */
  readonly #shell: ChildProcessByStdio<Writable, Readable, null>;
  readonly #said: AsyncIterator<string>;

  constructor() {
    this.#shell = spawn('sh', { stdio: ['pipe', 'pipe', 'inherit'], env: {} });
    this.#said = this.#shell.stdout.setEncoding('utf8')[Symbol.asyncIterator]();
    this.#child = fork(program, {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      // With which bytes are sent as they are.
      serialization: 'advanced',
    });
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

  /** What a shell prints for a script of its own. */
  async #printed(script: string, { cwd, env }: Surroundings): Promise<string> {
    const exports = Object.entries(env).flatMap(([name, value]) =>
      // Others are not names of a shell.
      value !== undefined && /^[A-Za-z_]\w*$/.test(name) ? [`${name}=${shellWord(value)}`] : [],
    );
    const own = `cd ${shellWord(cwd)}; export ${exports.join(' ')}; eval ${shellWord(script)}`;
    this.#shell.stdin.write(`(${own}); printf '\\0end of words\\0'\n`);
    let text = '';
    while (!text.endsWith(mark)) {
      const { value, done } = await this.#said.next();
      if (done) throw new Error(`the shell has ended: ${script}`);
      text += value;
    }
    return text.slice(0, -mark.length);
  }

  /**
   * What the shell makes of a line that is a call of skolo, in a terminal or not, and at most sets variables for it and pipes
   * all that it prints into something; undefined for any other line.
   */
  async callIn(line: string, surroundings: Surroundings): Promise<Call | undefined> {
    // Output of its own is not the shell's. The words of a terminal's command go through one more shell.
    if (line.includes('/dev/')) return undefined;
    const call =
      /^(?<sets>(?:SKOLO_\w+=\S* )*)(?:(?<own>skolo [^|&;<>()`\n]+?)(?: \| (?<into>[^|]+))?|tty (?<columns>\d+) (?<inTerminal>skolo [^|&;<>()`\n'"\\]+))$/.exec(
        line,
      )?.groups;
    if (call === undefined) return undefined;
    const { sets = '', own = call.inTerminal, into, columns } = call;
    const names = [...sets.matchAll(/(\w+)=/g)].map(([, name = '']) => name);
    const script = [
      'skolo() { for word; do printf "%s\\0" "$word"; done; }',
      ...(names.length > 0 ? [`export ${sets}`] : []),
      ...names.map((name) => `printf "%s\\0" "$${name}"`),
      own,
    ].join('\n');
    const printed = await this.#printed(script, surroundings);
    const words = printed.split('\0').slice(0, -1);
    return {
      args: words.slice(names.length),
      env: Object.fromEntries(names.map((name, at) => [name, words[at]])),
      columns: columns === undefined ? undefined : Number(columns),
      into,
    };
  }

  async close(): Promise<void> {
    this.#shell.kill();
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.disconnect();
    await ended;
  }
}

export interface Surroundings {
  cwd: string;
  env: NodeJS.ProcessEnv;
}

export interface Call {
  args: string[];
  /** What it sets for skolo alone. */
  env: NodeJS.ProcessEnv;
  columns: number | undefined;
  /** The shell's, that gets its output. */
  into: string | undefined;
}
