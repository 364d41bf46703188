/** bot_init.py as the agent sees it: the parent of the bot, one per start. Its guarantees are documented in that file. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { parseJson } from '@skolo/base';
import { z } from 'zod';
import { pythonFolder } from '../package-files.ts';
import { Lines } from './lines.ts';

/** How long its output may stay in pipes after its end. By then no process holds one. */
const lingerMs = 1000;

const InitEvent = z.discriminatedUnion('event', [
  z.object({ event: z.literal('locked'), warning: z.string().exactOptional() }),
  z.object({ event: z.literal('busy') }),
  z.object({ event: z.literal('rejected') }),
  z.object({ event: z.literal('started'), pid: z.number() }),
  z.object({
    event: z.literal('exited'),
    status: z.number().exactOptional(),
    signal: z.number().exactOptional(),
  }),
  z.object({ event: z.literal('reboot') }),
  z.object({ event: z.literal('left'), count: z.number() }),
  z.object({ event: z.literal('stuck'), pids: z.array(z.number()) }),
]);
export type InitEvent = z.output<typeof InitEvent>;

interface InitOptions {
  python: string;
  botDir: string;
  env: Record<string, string>;
  onEvent: (event: InitEvent) => void;
  onLine: (stream: 'stdout' | 'stderr', text: string) => void;
}

export class InitProcess {
  /** Fulfilled when it has ended, with the system's error if it could not be started. All of its handles are closed then. */
  readonly ended: Promise<string | undefined>;
  private readonly child: ChildProcess;
  private hasEnded = false;

  constructor({ python, botDir, env, onEvent, onLine }: InitOptions) {
    const init = `${pythonFolder}/bot_init.py`;
    // Its own session: Ctrl-C in a terminal is for the agent, which ends the bot in order.
    this.child = spawn(python, ['-I', '-S', init, botDir, python, String(process.pid)], {
      stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
      env,
      cwd: '/',
      detached: true,
    });
    const [stdin, stdout, stderr, events] = this.child.stdio;
    this.ended = this.waitForEnd().finally(() => {
      this.hasEnded = true;
    });
    // It may die during a write.
    stdin?.on('error', () => undefined);
    readLines(stdout, (text) => onLine('stdout', text));
    readLines(stderr, (text) => onLine('stderr', text));
    if (!(events instanceof Readable)) return;
    createInterface({ input: events }).on('line', (line) => {
      const event = InitEvent.safeParse(parseJson(line));
      if (event.success) onEvent(event.data);
    });
    events.on('error', () => undefined);
  }

  get pid(): number | undefined {
    return this.hasEnded ? undefined : this.child.pid;
  }

  /** See bot_init.py. */
  send(command: 'start' | 'stop' | 'stop-task' | 'end-left' | 'kill'): void {
    const { stdin } = this.child;
    if (stdin?.writable) stdin.write(`${command}\n`);
  }

  private async waitForEnd(): Promise<string | undefined> {
    const { child } = this;
    const why = await new Promise<string | undefined>((resolve) => {
      child.once('error', (error) => resolve(error.message));
      child.once('exit', () => {
        const timer = setTimeout(() => resolve(undefined), lingerMs);
        child.once('close', () => {
          clearTimeout(timer);
          resolve(undefined);
        });
      });
    });
    for (const stream of child.stdio) stream?.destroy();
    return why;
  }
}

function readLines(stream: unknown, onLine: (text: string) => void): void {
  if (!(stream instanceof Readable)) return;
  const lines = new Lines(onLine);
  stream.on('data', (bytes: Buffer) => lines.add(bytes));
  stream.once('end', () => lines.end());
  stream.on('error', () => undefined);
}
