/** What the bot's part is told by the agent. */
import type { Clock, Logger } from '@skolo/common/light';
import type { MachineSlice } from '@skolo/rack/slice';
import type { RunCommand } from '../run-command.ts';
import type { BotExit } from './bot-view.ts';

export type BotSettings = Pick<
  MachineSlice['swarming'],
  'python' | 'botDir' | 'backoffSeconds' | 'taskGraceSeconds' | 'reboot'
> & {
  /** The Swarming server, such as `https://chromium-swarm.appspot.com`. */
  server: string;
};

/** A line of the bot's output; one that is longer than 64 KiB comes in pieces. */
export interface BotLine {
  stream: 'stdout' | 'stderr';
  text: string;
}

export interface BotDeps {
  /** Undefined: they are not known yet. */
  settings: () => BotSettings | undefined;
  /** Why not, for people. */
  whyNoSettings?: () => string;
  botId: string;
  /** Where the hooks are served, `http://127.0.0.1:PORT`; the bot finds it as SKOLO_HOOK_URL. */
  hookUrl: () => string;
  /**
   * An OAuth access token that the Swarming server accepts.
   *
   * @throws Error With a text for people.
   */
  token: (signal: AbortSignal) => Promise<string>;
  /** The address that the server is asked from. */
  localAddress?: string | undefined;
  /** Whether a task runs, as the hooks told. */
  taskRunning: () => boolean;
  clock: Clock;
  log: Logger;
  run: RunCommand;
  onLine: (line: BotLine) => void;
  /** The view is another one. */
  onChange?: () => void;
  onExit: (exit: BotExit) => void;
  /** The bot asked for a reboot of the machine, and the setting `reboot` is `host`. */
  rebootHost?: (why: string) => void;
  /** The environment of the agent, of which the bot gets little; by default that of this process. */
  env?: NodeJS.ProcessEnv;
  limits?: Partial<BotLimits>;
}

/** Milliseconds. */
export interface BotLimits {
  /** What a bot without a task gets to end after SIGTERM: it may be in a call of a server that does not answer. */
  idleMs: number;
  /** What task_runner and the bot get to end a task: twice the grace time of the task, 30 s usually. */
  taskEndMs: number;
  /** How often it is looked whether settings are others. */
  lookMs: number;
  /** One download of the bot. */
  downloadMs: number;
  /** No byte of a download for so long. */
  stallMs: number;
  /** No hook for so long, without a task: the bot hangs. The server calls it dead after the same time. */
  silentMs: number;
  /** One check of the zip, on a Raspberry Pi with a slow card. */
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

/** What the bot of a machine needs; its server by `server`, else by the name of the machine. */
export function botSettingsOf(slice: MachineSlice): BotSettings | undefined {
  const { name, swarming } = slice;
  const byName = swarming.servers.find(({ prefix }) => name.startsWith(prefix));
  const server = swarming.server ?? byName?.server;
  if (server === undefined) return undefined;
  const { python, botDir, backoffSeconds, taskGraceSeconds, reboot } = swarming;
  // The server tells its own URL without a slash at its end.
  const bare = server.replace(/\/+$/, '');
  return { python, botDir, backoffSeconds, taskGraceSeconds, reboot, server: bare };
}
