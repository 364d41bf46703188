/**
 * What is known of the bot.
 *
 * - `waiting`: its settings are not known yet. `fetching`: its zip is downloaded or checked.
 * - `running`: its process is there. `backing-off`: it is started again at `nextStartAt`.
 * - `stopping`: it finishes its task. `stopped`: it has ended, and is not started again.
 */
export interface BotView {
  state: 'waiting' | 'fetching' | 'running' | 'backing-off' | 'stopping' | 'stopped';
  since: Date;
  /** Why it backs off, waits or stops; for people. */
  why?: string;
  pid?: number;
  server?: string;
  startedAt?: Date;
  nextStartAt?: Date;
  /** It has called a hook since it was started. */
  isHealthy: boolean;
  /** How often it was started since the agent was. */
  starts: number;
  lastExit?: { at: Date; why: BotExit; text: string };
}

/**
 * Why it ended. `killed` by signal 9: a reboot that it asked for, the kernel for want of memory, or a person.
 */
export type BotExit = 'stopped' | 'ended' | 'rebooted' | 'killed' | 'bad-zip' | 'failed';
