/** Processes in their own namespaces, like those of a container. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { argumentsOf, processes, withDescendants } from '../../host/processes.ts';

/** `mount`, `pid`: only that one. `container`: both, and a matching /proc. */
type Namespaces = 'mount' | 'pid' | 'container';

const options: Record<Namespaces, string[]> = {
  mount: ['--mount'],
  pid: ['--pid', '--fork', '--kill-child'],
  container: ['--mount', '--pid', '--fork', '--kill-child', '--mount-proc'],
};

const made = spawnSync('unshare', [...options.container, 'true'], { stdio: 'ignore' });
/** Why there are none: they require root. */
export const noNamespaces: string | undefined =
  made.status === 0 ? undefined : 'no namespaces here';

/** A command that runs another one in the namespace, after a script. */
export function commandIn(kind: Namespaces, script = ':'): string[] {
  return ['unshare', ...options[kind], '/bin/sh', '-ec', `${script}\nexec "$0" "$@"`];
}

interface Outside {
  child: ChildProcess;
  /** Those that run in the namespace, by their pids outside. */
  pids: () => number[];
  [Symbol.asyncDispose]: () => Promise<void>;
}

/** Fulfilled when the script has written its first line. */
export async function inNamespaces(kind: Namespaces, script: string): Promise<Outside> {
  const child = spawn('unshare', [...options[kind], '/bin/sh', '-ec', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  const ended = once(child, 'exit');
  await Promise.race([
    once(child.stdout, 'data'),
    ended.then(([status]) => Promise.reject(new Error(`unshare: status ${status}`))),
  ]);
  const top = child.pid ?? Number.NaN;
  const below = () => {
    const all = processes();
    return [...withDescendants([top], all)].filter(
      (pid) => all.get(pid)?.isZombie === false && argumentsOf(pid)[0] !== 'unshare',
    );
  };
  return {
    child,
    pids: below,
    async [Symbol.asyncDispose]() {
      for (const pid of [top, ...below()]) {
        try {
          process.kill(pid, 'SIGKILL');
        } catch {
          // It has ended with its namespace.
        }
      }
      await ended;
    },
  };
}
