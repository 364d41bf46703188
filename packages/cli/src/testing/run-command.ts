/** A command line in this process, without a terminal unless its size is given. */
import { exitCodes } from '../errors.ts';
import type { Io } from '../io.ts';
import { complete } from '../program.ts';

export interface Printed {
  out: string;
  err: string;
  exitCode: number;
}

export async function runCommand(
  args: readonly string[],
  terminal?: { columns: number; rows: number },
): Promise<Printed> {
  const printed = { out: '', err: '' };
  const add = (to: 'out' | 'err', text: string) => {
    printed[to] += text;
  };
  const io: Io = {
    out: (text) => add('out', `${text}\n`),
    err: (text) => add('err', `${text}\n`),
    draw: (text) => add('out', text),
    write: async (bytes) => add('out', Buffer.from(bytes).toString()),
    isTerminal: terminal !== undefined,
    columns: terminal?.columns,
    rows: terminal?.rows,
    colour: false,
    now: Date.now,
    onInterrupt: () => () => {},
    onStop: () => () => {},
    onSignal: () => () => {},
    env: {},
    folder: '/',
    canAsk: false,
    ask: async () => undefined,
    askSecret: async () => undefined,
    input: async () => new Uint8Array(),
    exitCode: exitCodes.done,
  };
  const exitCode = await complete(args, io);
  return { ...printed, exitCode };
}
