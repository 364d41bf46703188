/** Tasks, and what became of them. */
import { randomBytes } from 'node:crypto';
import type { Dimensions } from './dimensions.ts';

/**
 * - `completed`: it has an exit code. `killed`: ended on demand of the server or by its time limit
 * - `failed`: the bot says that it could not run it. `died`: its bot began anew without a word about it
 */
type TaskState = 'pending' | 'running' | 'completed' | 'killed' | 'failed' | 'died';

export interface NewTask {
  /** Or `python`. */
  command?: readonly string[];
  /** Code for `python3 -c`. */
  python?: string;
  env?: Readonly<Record<string, string>>;
  /** Between SIGTERM and SIGKILL; 30 when absent. */
  graceSeconds?: number;
  /** A bot that has all of these gets it; any when absent. */
  dimensions?: Dimensions;
}

export interface SwarmingTask {
  readonly id: string;
  readonly asked: NewTask;
  state: TaskState;
  /** Which bot has, or had, it. */
  bot?: string;
  output: string;
  exitCode?: number;
  /** Of task_error. */
  error?: string;
  /** The server wants it to end. */
  mustStop: boolean;
  /** Messages about it after its end was known: of an orphan. */
  lateUpdates: number;
}

export class Tasks {
  readonly all: SwarmingTask[] = [];

  add(asked: NewTask): SwarmingTask {
    const id = `${randomBytes(7).toString('hex')}10`;
    const task: SwarmingTask = {
      id,
      asked,
      state: 'pending',
      output: '',
      mustStop: false,
      lateUpdates: 0,
    };
    this.all.push(task);
    return task;
  }

  /** The run of a task has its id with another last digit. */
  find(id: string): SwarmingTask | undefined {
    return this.all.find((task) => task.id.slice(0, -1) === id.slice(0, -1));
  }

  /** The oldest that waits for such a bot. */
  take(bot: string, dimensions: Dimensions): SwarmingTask | undefined {
    const task = this.all.find(
      ({ state, asked }) => state === 'pending' && fits(asked.dimensions ?? {}, dimensions),
    );
    if (!task) return undefined;
    task.state = 'running';
    task.bot = bot;
    return task;
  }

  /** Whatever it ran is not heard of again. */
  botBeganAnew(bot: string): void {
    for (const task of this.all) {
      if (task.bot === bot && task.state === 'running') task.state = 'died';
    }
  }
}

function runIdOf(task: SwarmingTask): string {
  return `${task.id.slice(0, -1)}1`;
}

/** What the bot is given with the command `run`. */
export function manifestOf(task: SwarmingTask, botId: string, host: string) {
  const { command, python, env = {}, graceSeconds = 30 } = task.asked;
  return {
    task_id: runIdOf(task),
    bot_id: botId,
    host,
    command: command ?? ['python3', '-u', '-c', python ?? ''],
    env,
    grace_period: graceSeconds,
    hard_timeout: 3600,
    io_timeout: 3600,
    dimensions: task.asked.dimensions ?? {},
    service_accounts: { system: { service_account: 'none' }, task: { service_account: 'none' } },
  };
}

function fits(wanted: Dimensions, dimensions: Dimensions): boolean {
  return Object.entries(wanted).every(([name, values]) =>
    values.every((value) => dimensions[name]?.includes(value)),
  );
}
