/**
 * A private directory and processes that end with this process, even after SIGKILL. A small shell script that outlives us
 * creates the directory, and removes it when its standard input ends.
 */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { script } from '@skolo/base';
import { FleetError } from '../../errors.ts';

export interface Guardian {
  /** Only this user may enter it (0700). */
  folder: string;
  /** A new socket path in the directory. OpenSSH appends 17 characters, and the maximum is 103. */
  socketPath(): string;
  /**
   * Starts a program. It receives SIGHUP, as from a closed terminal, when this process ends or `close` is called. Exits with 127
   * if the program does not exist.
   */
  start(program: string, args: readonly string[], options: StartOptions): ChildProcess;
  /** Resolves when everything has ended. */
  close(): Promise<void>;
}

type Stream = 'ignore' | 'inherit' | 'pipe';

export interface StartOptions extends Omit<SpawnOptions, 'stdio'> {
  /** Of all three, or of input, output and errors; default `pipe`. */
  stdio?: Stream | readonly [Stream, Stream, Stream];
}

const guardian = script(new URL('./guardian.sh', import.meta.url));

// Registers itself before it becomes the program, because this process may be killed before the next line. The pipe stays open
// until then, so the guardian waits for it.
const starter = `
echo "+$$" >&3
command -v "$1" > /dev/null || { echo "skolo: $1: no such program; install it" >&2; exit 127; }
exec "$@" 3>&-
`;

/**
 * @param env the directory is in XDG_RUNTIME_DIR, or else in the directory for temporary files
 */
export async function startGuardian(env: NodeJS.ProcessEnv): Promise<Guardian> {
  const parent = env.XDG_RUNTIME_DIR || tmpdir();
  // In its own session, so signals from the terminal do not reach it.
  const shell = spawn('sh', ['-c', guardian, 'skolo-guardian', parent], {
    env,
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const { stdin, stdout, stderr } = shell;
  const ended = once(shell, 'close');
  // It may be killed, after which writes to it fail.
  stdin.on('error', () => {});
  const [folder, complaint] = await Promise.all([text(stdout), text(stderr)]);
  if (folder === '') {
    await ended;
    throw new FleetError(
      `${parent}: cannot create a directory for the session: ${complaint.trim()}; set XDG_RUNTIME_DIR to a directory that you own`,
    );
  }
  let sockets = 0;
  return {
    folder: folder.trim(),
    socketPath: () => join(folder.trim(), `s${sockets++}`),
    start(program, args, { stdio = 'pipe', ...options }) {
      const streams = typeof stdio === 'string' ? [stdio, stdio, stdio] : stdio;
      const child = spawn('sh', ['-c', starter, 'sh', program, ...args], {
        ...options,
        stdio: [...streams, stdin],
      });
      child.once('exit', () => stdin.write(`-${child.pid}\n`));
      return child;
    },
    async close() {
      stdin.end();
      await ended;
    },
  };
}
