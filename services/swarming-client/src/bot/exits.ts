/** The meaning of an exit of the bot. Its status alone is not enough: 0 is also a zip of 0 bytes. */
import type { BotExit } from './bot-view.ts';

export interface Ending {
  /** Of the bot. Both undefined: its parent was killed, and the bot with it. */
  status?: number | undefined;
  signal?: number | undefined;
  /** It had called no hook for too long, and was ended for that. */
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
  // While it waits for a reboot SIGTERM ends it by its default action, and at no other time.
  if (signal === sigterm) return 'rebooted';
  if (signal === sigkill) return hadAskedForReboot ? 'rebooted' : 'killed';
  if (signal === undefined && status === undefined) return 'killed';
  return status === 0 ? 'ended' : 'failed';
}

const texts: Partial<Record<BotExit, string>> = {
  rebooted: 'it asked for a reboot of its host',
  killed: 'killed from outside, or by the kernel for want of memory',
  silent: 'it called no hooks, so the agent ended it',
  'bad-zip': 'its zip is broken',
};

/** For people: `failed after 3 s (status 1): SyntaxError: invalid syntax`. */
export function exitText(exit: BotExit, ending: Ending): string {
  const { status, signal, seconds, lastError } = ending;
  const how =
    signal === undefined
      ? status === undefined
        ? 'its parent was killed'
        : `status ${status}`
      : `signal ${signal}`;
  const why = texts[exit] ?? (exit === 'failed' ? lastError : undefined);
  return `${exit} after ${Math.round(seconds)} s (${how})${why === undefined ? '' : `: ${why}`}`;
}
