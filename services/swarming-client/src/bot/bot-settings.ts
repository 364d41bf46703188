/**
 * Decides whether a machine runs a bot, and which server it uses; time limits of the bot: pauses between restarts, silence, the end of a
 * task.
 */
import type { Logger } from '@skolo/common/light';
import type { MachinePart } from '@skolo/rack/machine-part';
import type { PartDeps } from '../part-deps.ts';

export interface BotSettings
  extends Pick<
    MachinePart['swarming'],
    'python' | 'botDir' | 'backoffSeconds' | 'taskGraceSeconds' | 'reboot'
  > {
  /** The Swarming server, such as `https://chromium-swarm.appspot.com`. */
  server: string;
}

/** Why a machine has no server. */
export const noServer =
  "no `servers` entry in rack.yaml matches the machine's name; set `services.swarming-client.server`";

/** Why a machine does not run a bot. */
export const noBot = 'rack.yaml has `bot: none`';

/**
 * The settings of a machine's bot; undefined: not known yet, or without a server. Its server is `server`, or else the first one whose
 * prefix matches the machine's name.
 */
export function botSettingsOf(
  machinePart: MachinePart | undefined,
): BotSettings | 'none' | undefined {
  if (machinePart === undefined) return undefined;
  const { name, swarming } = machinePart;
  if (swarming.bot === 'none') return 'none';
  const byName = swarming.servers.find(({ prefix }) => name.startsWith(prefix));
  const server = swarming.server ?? byName?.server;
  if (server === undefined) return undefined;
  const { python, botDir, backoffSeconds, taskGraceSeconds, reboot } = swarming;
  // The server's own URL has no trailing slash.
  const bare = server.replace(/\/+$/, '');
  return { python, botDir, backoffSeconds, taskGraceSeconds, reboot, server: bare };
}

export interface BotDeps extends Pick<PartDeps, 'clock' | 'emit' | 'run'> {
  /** Undefined: not known yet. `none`: the machine does not run a bot. */
  settings: () => BotSettings | 'none' | undefined;
  /** Why not, for people. */
  whyNoSettings?: () => string;
  botId: string;
  /**
   * An OAuth access token that the Swarming server accepts.
   *
   * @throws Error With a text for people.
   */
  token: (signal: AbortSignal) => Promise<string>;
  /** The local address of requests to the server. */
  localAddress?: string | undefined;
  /** Whether a task is running, as reported by the hooks. */
  taskRunning: () => boolean;
  log: Logger;
  /** The agent's environment, of which the bot gets little; default: that of this process. */
  env?: NodeJS.ProcessEnv;
  limits?: Partial<BotLimits>;
}

/** Milliseconds. */
export interface BotLimits {
  /** Time for a bot without a task to end after SIGTERM: it may be in a call to a server that does not respond. */
  idleMs: number;
  /** Time for task_runner and the bot to end a task: twice the task's grace time, usually 30 s. */
  taskEndMs: number;
  /** Time between two comparisons of the settings. */
  lookMs: number;
  /** Time limit for a download of the bot. */
  downloadMs: number;
  /** Time limit without a byte of a download. */
  stallMs: number;
  /** Time without a hook and without a task after which the bot counts as hanging. The server calls it dead after the same time. */
  silentMs: number;
  /** Time limit for a check of the zip, on a Raspberry Pi with a slow card. */
  checkMs: number;
}

export const botLimits: BotLimits = {
  idleMs: 30_000,
  taskEndMs: 70_000,
  lookMs: 5000,
  downloadMs: 600_000,
  stallMs: 60_000,
  silentMs: 600_000,
  checkMs: 120_000,
};
