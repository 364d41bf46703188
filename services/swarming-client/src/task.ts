/** Whether a task runs, as the hooks of the bot tell. */
import type { Clock } from '@skolo/common/light';

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

/** The task that runs, as the hooks of the bot told. A bot that has ended runs none. */
export interface TaskView {
  running: boolean;
  /** Where the bot's hook tells it. */
  id?: string;
  since?: Date;
}
