/** The bot's state as others see it, and the meaning of its exits: updated, rebooting, failed. */
import { BotStatus } from '@skolo/api/swarming-client';

export const botStates = BotStatus.shape.state.options;

/**
 * What is known about the bot.
 *
 * - `waiting`: its settings are not known yet. `fetching`: its zip is being downloaded or checked.
 * - `running`: its process exists. `backing-off`: it is restarted at `nextStartAt`.
 * - `silent`: it has no task and has called no hook for 10 minutes; the agent ends and restarts it.
 * - `stopping`: it finishes its task. `stopped`: it has ended, and is not restarted.
 * - `none`: rack.yaml has `bot: none`.
 */
export interface BotView {
  state: BotStatus['state'];
  since: Date;
  /** Why it backs off, waits or stops; for people. */
  why?: string;
  pid?: number;
  server?: string | undefined;
  startedAt?: Date;
  nextStartAt?: Date;
  /** It has called a hook since its start, and is not silent. */
  isHealthy: boolean;
  /** How often it was started since the agent's start. */
  starts: number;
  lastExit?: { at: Date; why: BotExit; text: string } | undefined;
  /** Consecutive starts after which it called no hook: since when, how many, and why the last one failed. */
  failing?: { since: Date; starts: number; why: string } | undefined;
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
 * The reason for an exit. `silent`: the agent ended it, because it had called no hook for 10 minutes. `killed`: by signal 9, from the
 * kernel because memory ran out, or from an operator.
 */
export type BotExit = (typeof botExits)[number];

/** The facts about an exit. Its status alone is not enough: 0 is also that of a zip of 0 bytes. */
export interface Ending {
  /** The bot's. Both undefined: its parent was killed, and the bot with it. */
  status?: number | undefined;
  signal?: number | undefined;
  /** It had called no hook for too long, and was ended for that reason. */
  wasSilent: boolean;
  /** The agent ended it. */
  wasStopped: boolean;
  /** It was about to reboot its host, by the shim or its hook on_bot_shutdown. */
  hadAskedForReboot: boolean;
  isZipSound: boolean;
  seconds: number;
  /** The last line of its standard error. */
  lastError?: string | undefined;
}

const sigkill = 9;
const sigterm = 15;

export function exitOf(ending: Ending): BotExit {
  const { status, signal, wasSilent, wasStopped, hadAskedForReboot, isZipSound } = ending;
  if (wasSilent) return 'silent';
  if (wasStopped) return 'stopped';
  if (!isZipSound) return 'bad-zip';
  // SIGTERM ends it by the default action only while it waits for a reboot.
  if (signal === sigterm) return 'rebooted';
  if (signal === sigkill) return hadAskedForReboot ? 'rebooted' : 'killed';
  if (signal === undefined && status === undefined) return 'killed';
  return status === 0 ? 'ended' : 'failed';
}

const texts: Partial<Record<BotExit, string>> = {
  rebooted: 'the bot requested a reboot of the machine',
  killed: 'killed by another program, or by the kernel because memory ran out',
  silent: 'the bot did not call its hooks, so the agent stopped it',
  'bad-zip': "the bot's zip file is not valid",
};

/** For people: `failed after 3 s (status 1): SyntaxError: invalid syntax`. */
export function exitText(exit: BotExit, ending: Ending): string {
  const { status, signal, seconds, lastError } = ending;
  const ofStatus = status === undefined ? 'the parent process was killed' : `status ${status}`;
  const how = signal === undefined ? ofStatus : `signal ${signal}`;
  const why = texts[exit] ?? (exit === 'failed' ? lastError : undefined);
  return `${exit} after ${Math.round(seconds)} s (${how})${why === undefined ? '' : `: ${why}`}`;
}
