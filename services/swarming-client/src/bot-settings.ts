import type { MachineSlice } from '@skolo/rack/slice';
import type { BotSettings } from './bot/bot-deps.ts';

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
