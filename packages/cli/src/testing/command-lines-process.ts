/** What {@link CommandLines} starts: each message is a command line, each answer all that became of it. */
import { exitCodes } from '../errors.ts';
import type { Io } from '../io.ts';
import { complete } from '../program.ts';
import type { Ended, Request } from './command-lines.ts';

process.on('message', async ({ args, dir, env, columns }: Request) => {
  process.chdir(dir);
  for (const name of Object.keys(process.env)) delete process.env[name];
  Object.assign(process.env, env);
  const stdout: Uint8Array[] = [];
  const stderr: string[] = [];
  const isTerminal = columns !== undefined;
  /** As in a process whose output goes into pipes, or to a terminal of unknown height. */
  const io: Io = {
    out: (text) => stdout.push(Buffer.from(`${text}\n`)),
    err: (text) => (isTerminal ? io.out(text) : stderr.push(`${text}\n`)),
    draw: (text) => stdout.push(Buffer.from(text)),
    write: async (bytes) => void stdout.push(bytes),
    isTerminal,
    columns,
    rows: undefined,
    colour: isTerminal,
    now: Date.now,
    onInterrupt: () => () => {},
    onStop: () => () => {},
    onSignal: () => () => {},
    env: process.env,
    folder: dir,
    canAsk: isTerminal,
    ask: async () => undefined,
    askSecret: async () => undefined,
    input: async () => new Uint8Array(),
    exitCode: exitCodes.done,
  };
  const exitCode = await complete(args, io);
  const ended: Ended = {
    stdout: Buffer.concat(stdout),
    stderr: stderr.join(''),
    exitCode,
  };
  process.send?.(ended);
});
