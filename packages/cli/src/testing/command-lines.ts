/**
 * A process that runs one command line of skolo after the other, with what it has loaded for the first: to start Node
 * and load a rack's schema takes half a second of a processor, and sessions have hundreds of command lines.
 */
import { type ChildProcess, execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

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
  readonly #child: ChildProcess;

  constructor() {
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

  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.disconnect();
    await ended;
  }
}

export interface Call {
  args: string[];
  /** The shell's, that gets its output. */
  into: string | undefined;
}

/**
 * What the shell makes of a line that is a call of skolo, and at most pipes all that it prints into something; undefined
 * for a line that redirects, sets variables, leaves before skolo has ended (as head does) or runs something else.
 */
export async function callIn(
  line: string,
  options: { cwd: string; env: NodeJS.ProcessEnv },
): Promise<Call | undefined> {
  const [, own, into] = /^(skolo [^|&;<>()`\n]+?)(?: \| (?!head)([^|]+))?$/.exec(line) ?? [];
  if (own === undefined) return undefined;
  const listing = 'skolo() { for word; do printf "%s\\0" "$word"; done; }';
  const { stdout } = await promisify(execFile)('sh', ['-c', `${listing}\n${own}`], options);
  return { args: stdout.split('\0').slice(0, -1), into };
}
