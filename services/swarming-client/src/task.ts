/** Whether a task runs, as the hooks of the bot tell. */
import type { Clock } from '@skolo/common/light';
import type { TaskView } from './bot/task-view.ts';

export class Task {
  private readonly clock: Pick<Clock, 'now'>;
  private view: TaskView = { running: false };

  constructor(clock: Pick<Clock, 'now'>) {
    this.clock = clock;
  }

  get(): TaskView {
    return this.view;
  }

  begin(id: string | undefined): void {
    this.view = {
      running: true,
      since: new Date(this.clock.now()),
      ...(id !== undefined && { id }),
    };
  }

  /** Also when the bot has ended: what it ran is swept away with it. */
  end(): void {
    this.view = { running: false };
  }
}
