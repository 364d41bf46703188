export const botStates = [
  'waiting',
  'fetching',
  'running',
  'silent',
  'backing-off',
  'stopping',
  'stopped',
] as const;
export type BotState = (typeof botStates)[number];

/**
 * What is known of the bot.
 *
 * - `waiting`: its settings are not known yet. `fetching`: its zip is downloaded or checked.
 * - `running`: its process is there. `backing-off`: it is started again at `nextStartAt`.
 * - `silent`: it has no task and has called no hook for 10 minutes; the agent ends it, and starts it again.
 * - `stopping`: it finishes its task. `stopped`: it has ended, and is not started again.
 */
export interface BotView {
  state: BotState;
  since: Date;
  /** Why it backs off, waits or stops; for people. */
  why?: string;
  pid?: number;
  server?: string;
  startedAt?: Date;
  nextStartAt?: Date;
  /** It has called a hook since it was started, and is not silent. */
  isHealthy: boolean;
  /** How often it was started since the agent was. */
  starts: number;
  lastExit?: { at: Date; why: BotExit; text: string };
}

export const botExits = [
  'stopped',
  'ended',
  'rebooted',
  'killed',
  'silent',
  'bad-zip',
  'failed',
] as const;
/**
 * Why it ended. `silent`: the agent ended it, because it had called no hook for 10 minutes. `killed` by signal 9: a reboot that it asked for, the kernel for want of memory, or a person.
 */
export type BotExit = (typeof botExits)[number];
