/** Runs a command line in this process, without a terminal unless its size is given. */
import { printable } from '../output/text.ts';
import { complete } from '../program.ts';
import { testIo } from './test-io.ts';

export async function runCommand(
  args: readonly string[],
  terminal?: { columns: number; rows: number },
  env: Record<string, string> = {},
) {
  const printed = { out: '', err: '' };
  const add = (to: 'out' | 'err', text: string) => {
    printed[to] += text;
  };
  const io = testIo({
    out: (text) => add('out', `${printable(text, false)}\n`),
    err: (text) => add('err', `${printable(text, false)}\n`),
    raw: async (data) => add('out', Buffer.from(data).toString()),
    // Nothing is kept in the home directory of whoever runs the tests.
    env: { XDG_STATE_HOME: '/dev/null', ...env },
    isTerminal: terminal !== undefined,
    columns: terminal?.columns,
    rows: terminal?.rows,
  });
  const exitCode = await complete(args, io);
  return { ...printed, exitCode };
}
