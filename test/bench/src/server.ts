import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { pinned } from './cores.ts';

/** A server in a process of its own. */
export interface ServerProcess {
  pid: number;
  /** What `ready` captured, by name. */
  groups: Record<string, string>;
  /** Ends it with SIGTERM and waits until it is gone. */
  stop(): Promise<void>;
}

/**
 * Starts a server on a core of its own and waits for the line of its output that `ready` matches, such as
 * `/"listening".*"port":(?<port>\d+)/`. Rejects with the end of its output when it exits before, or is not ready
 * within `timeoutMs`.
 */
export async function startServer(options: {
  /** Program and arguments. */
  command: readonly string[];
  ready: RegExp;
  env?: Record<string, string>;
  /** Leaves it all cores, which it then shares with the load. */
  onAllCores?: boolean;
  timeoutMs?: number;
}): Promise<ServerProcess> {
  const { command, ready, env = {}, onAllCores = false, timeoutMs = 30_000 } = options;
  const [program = '', ...args] = onAllCores ? command : pinned(command, 'server');
  const child = spawn(program, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output: string[] = [];
  const stop = () => stopChild(child);
  try {
    const groups = await readyLine(child, ready, output, AbortSignal.timeout(timeoutMs));
    if (child.pid === undefined) throw new Error('it has no process id');
    return { pid: child.pid, groups, stop };
  } catch (error) {
    await stop();
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`${command.join(' ')}: ${reason}\n${output.slice(-20).join('\n')}`.trimEnd());
  }
}

async function readyLine(
  child: ChildProcess,
  ready: RegExp,
  output: string[],
  signal: AbortSignal,
): Promise<Record<string, string>> {
  return await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, by) => reject(new Error(`exited with ${code ?? by}, never ready`)));
    signal.addEventListener('abort', () => reject(new Error('not ready in time')));
    for (const stream of [child.stdout, child.stderr]) {
      if (!stream) continue;
      createInterface({ input: stream }).on('line', (line) => {
        // A server that goes on talking must not fill the memory of who measures it.
        if (output.length > 200) output.splice(0, 100);
        output.push(line);
        const match = ready.exec(line);
        if (match) resolve({ ...match.groups });
      });
    }
  });
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  const patience = setTimeout(() => child.kill('SIGKILL'), 15_000);
  await exit;
  clearTimeout(patience);
}
