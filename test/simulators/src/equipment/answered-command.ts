/**
 * A command for a foreign program to run (snmpd's `pass_persist`, ipmi_sim's `chassis_control`) that is answered by this
 * process: what is written to its standard input comes here, what is answered comes out of its standard output.
 */
import { chmod, rm, writeFile } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';

interface AnsweredCommand {
  /** Path of the command. */
  command: string;
  close(): Promise<void>;
}

export interface CommandCall {
  args: string[];
  /** What comes in, line by line. */
  lines: AsyncIterable<string>;
  write(text: string): void;
}

const Args = z.array(z.string());

/** Puts the command into `dir`. Each run of it is one call, and ends when `answer` does. */
export async function startAnsweredCommand(
  dir: string,
  answer: (call: CommandCall) => Promise<void>,
): Promise<AnsweredCommand> {
  const socketPath = join(dir, 'command.sock');
  const script = join(dir, 'command.mjs');
  const command = join(dir, 'command');
  await writeFile(script, scriptFor(socketPath));
  await writeFile(command, `#!/bin/sh\nexec '${process.execPath}' '${script}' "$@"\n`);
  await chmod(command, 0o755);
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('error', () => undefined).on('close', () => open.delete(socket));
    void serve(socket, answer).finally(() => socket.end());
  });
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  return {
    command,
    async close() {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
      await rm(command, { force: true });
    },
  };
}

async function serve(socket: Socket, answer: (call: CommandCall) => Promise<void>): Promise<void> {
  const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
  const first = await lines.next();
  if (first.done) return;
  const args = Args.parse(JSON.parse(first.value));
  await answer({
    args,
    lines: { [Symbol.asyncIterator]: () => lines },
    write: (text) => socket.write(text),
  });
}

function scriptFor(socketPath: string): string {
  return `import { connect } from 'node:net';
const socket = connect(${JSON.stringify(socketPath)});
socket.write(JSON.stringify(process.argv.slice(2)) + '\\n');
socket.on('error', () => process.exit(1)).on('close', () => process.exit(0));
socket.pipe(process.stdout);
process.stdin.pipe(socket);
`;
}
