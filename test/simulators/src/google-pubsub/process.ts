import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { methods } from './calls.ts';
import type { FaultKind, FaultOptions } from './faults.ts';
import type { Command } from './main.ts';

const Listening = z.object({ endpoint: z.string(), port: z.int() });
const Counts = z.object({
  requests: z.partialRecord(z.enum(methods), z.int()),
  refused: z.int(),
  messages: z.int(),
  bytes: z.int(),
});
type Counts = z.output<typeof Counts>;

/** The simulator in a process of its own; see main.ts. */
export interface GooglePubSubProcess {
  /** `127.0.0.1:PORT`: PUBSUB_EMULATOR_HOST. */
  readonly endpoint: string;
  readonly port: number;
  readonly pid: number;
  counts(): Promise<Counts>;
  misbehave(kind: FaultKind, options?: FaultOptions): Promise<void>;
  behave(): Promise<void>;
  /** An outage: the process lives on, with all that was stored. */
  stop(): Promise<void>;
  start(): Promise<void>;
  /** Ends it, without a chance to do anything first. */
  kill(): Promise<void>;
}

/** It ends with this process, however that ends. */
export async function startGooglePubSubProcess(
  options: { port?: number; topics?: string[]; keep?: boolean } = {},
): Promise<GooglePubSubProcess> {
  const { port = 0, topics = [], keep = true } = options;
  const main = join(import.meta.dirname, 'main.ts');
  const flags = [`--port=${port}`, ...topics.map((topic) => `--topic=${topic}`)];
  if (!keep) flags.push('--no-keep');
  const child = spawn(process.execPath, [main, '--end-with-stdin', ...flags], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const waiting: { resolve: (line: unknown) => void; reject: (error: Error) => void }[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => {
    waiting.shift()?.resolve(JSON.parse(line));
  });
  // Whatever is written to it after its end is answered by `ended`.
  child.stdin.on('error', () => {});
  let ended: Error | undefined;
  child.once('exit', (code, signal) => {
    ended = new Error(`the Pub/Sub simulator has ended: ${code ?? signal}`);
    for (const { reject } of waiting.splice(0)) reject(ended);
  });
  const answer = () =>
    new Promise<unknown>((resolve, reject) => {
      waiting.push({ resolve, reject });
    });
  async function tell(command: Command): Promise<Counts> {
    if (ended) throw ended;
    const answered = answer();
    child.stdin.write(`${JSON.stringify(command)}\n`);
    return Counts.parse(await answered);
  }
  const listening = Listening.parse(await answer());

  return {
    ...listening,
    pid: child.pid ?? 0,
    counts: () => tell({ do: 'counts' }),
    misbehave: async (kind, faultOptions = {}) => {
      await tell({ do: 'misbehave', kind, ...faultOptions });
    },
    behave: async () => void (await tell({ do: 'behave' })),
    stop: async () => void (await tell({ do: 'stop' })),
    start: async () => void (await tell({ do: 'start' })),
    kill: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
}
