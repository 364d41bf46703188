import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { TestBot } from './new-bot.ts';

interface AgentProcess {
  child: ChildProcess;
  pid: number;
  state: { state?: string; pid?: number; why?: string; starts?: number };
  kill: (signal: NodeJS.Signals) => Promise<void>;
  [Symbol.asyncDispose]: () => Promise<void>;
}

const program = fileURLToPath(new URL('agent.ts', import.meta.url));

/** @param inside a command that runs another one, for example in a container: `unshare …` */
export function startAgent(
  { current }: TestBot['settings'],
  inside: readonly string[] = [],
): AgentProcess {
  const [command = '', ...args] = [...inside, process.execPath, program, JSON.stringify(current)];
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const closed = once(child, 'exit');
  const agent: AgentProcess = {
    child,
    pid: child.pid ?? Number.NaN,
    state: {},
    async kill(signal) {
      child.kill(signal);
      await closed;
    },
    [Symbol.asyncDispose]: () => agent.kill('SIGKILL'),
  };
  createInterface({ input: child.stdout }).on('line', (line) => {
    agent.state = JSON.parse(line);
  });
  return agent;
}
