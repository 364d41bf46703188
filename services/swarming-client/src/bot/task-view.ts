/** The task that runs, as the hooks of the bot told. A bot that has ended runs none. */
export interface TaskView {
  running: boolean;
  /** Where the bot's hook tells it. */
  id?: string;
  since?: Date;
}
