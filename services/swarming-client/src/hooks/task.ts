/** The running task, as reported by the bot's hooks, and when it counts as ended. */
import type { Clock, Emit } from '@skolo/common/light';

/** The running task, as reported by the bot's hooks. A bot that has ended runs no task. */
export interface TaskView {
  running: boolean;
  /** Absent where the bot's hook does not send it. */
  id?: string | undefined;
  since?: Date;
  /** Since the start of the agent. */
  last?: EndedTask;
}

interface EndedTask {
  id?: string | undefined;
  since?: Date | undefined;
  endedAt: Date;
  outcome: TaskOutcome;
}

/** For people. */
export function taskName({ id }: TaskView): string {
  return id === undefined ? 'a task' : `task ${id}`;
}

/**
 * How a task ended, as reported by the bot: `failed` also for a failing test; `internal-failure` is one of the bot or its server. `lost`: a
 * job of a machine without a bot, whose end nobody reported.
 */
export const taskOutcomes = [
  ...(['succeeded', 'failed', 'internal-failure', 'bot-exit', 'lost'] as const),
] as const;
export type TaskOutcome = (typeof taskOutcomes)[number];

export type TaskEvent =
  | { type: 'task-started' | 'facts' }
  | { type: 'task-ended'; outcome: TaskOutcome };

interface TaskDeps {
  clock: Pick<Clock, 'now'>;
  emit: Emit<TaskEvent>;
}

/** Whether a task is running. */
export class Task {
  private readonly deps: TaskDeps;
  private view: TaskView = { running: false };

  constructor(deps: TaskDeps) {
    this.deps = deps;
  }

  get(): TaskView {
    return this.view;
  }

  start(id: string | undefined, since = new Date(this.deps.clock.now())): void {
    this.view = { ...this.view, running: true, since, id };
    this.deps.emit({ type: 'task-started' });
  }

  /** Of several jobs, the one that is shown has ended, and the machine is still busy with this one. */
  show(id: string | undefined, since: Date): void {
    this.view = { ...this.view, since, id };
    this.deps.emit({ type: 'facts' });
  }

  /** A hook reported its end, or the bot has exited and the task with it. */
  end(outcome: TaskOutcome): void {
    const { id, since } = this.view;
    const endedAt = new Date(this.deps.clock.now());
    this.view = { running: false, last: { id, since, endedAt, outcome } };
    this.deps.emit({ type: 'task-ended', outcome });
  }
}
