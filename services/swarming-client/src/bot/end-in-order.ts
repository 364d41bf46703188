import { settlesWithin } from '@skolo/base';
import type { Clock } from '@skolo/common/light';
import type { BotLimits } from './bot-settings.ts';

interface EndDeps {
  send: (command: 'stop' | 'stop-task' | 'kill') => void;
  /** Fulfilled when none of the bot's processes is left. */
  ended: Promise<unknown>;
  isTaskRunning: () => boolean;
  /** Until when a task may continue, in seconds since boot. It may become earlier. */
  graceUntil: () => number;
  limits: Pick<BotLimits, 'idleMs' | 'taskEndMs'>;
  clock: Clock;
}

const lookMs = 1000;

/**
 * Ends the bot in order, and decides how long its task may take: SIGTERM, after which it ends when its task has finished; after the
 * grace time, SIGTERM to task_runner, which ends the task and reports the reason to the server; SIGKILL to whatever remains.
 *
 * SIGTERM only sets a flag in the bot, which is lost when the bot replaces itself by another version in the same process. So the request is
 * repeated until it has ended.
 *
 * Fulfilled when all of it has ended, or the attempt was in vain.
 */
export async function endInOrder(deps: EndDeps): Promise<void> {
  const { send, ended, isTaskRunning, graceUntil, limits, clock } = deps;
  let idleSince = clock.uptime();
  let hasTask = isTaskRunning();
  const isInGrace = () =>
    hasTask ? clock.uptime() < graceUntil() : clock.uptime() - idleSince < limits.idleMs / 1000;

  send('stop');
  while (isInGrace()) {
    if (await settlesWithin(Math.min(lookMs, limits.idleMs), ended)) return;
    send('stop');
    hasTask = isTaskRunning();
    if (hasTask) idleSince = clock.uptime();
  }
  if (hasTask) {
    send('stop-task');
    for (let leftMs = limits.taskEndMs; leftMs > 0; leftMs -= lookMs) {
      if (await settlesWithin(Math.min(lookMs, leftMs), ended)) return;
      send('stop');
    }
  }
  send('kill');
  // bot_init itself takes no longer, even if a process hangs.
  await settlesWithin(killMs, ended);
}

const killMs = 25_000;
