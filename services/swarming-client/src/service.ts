/** Runs the agent as a process. */
import { processMetrics, runProgram } from '@skolo/common/light';
import { startAgent } from './agent.ts';
import { agentFlags, type Flags } from './flags.ts';
import { checkIdentity } from './identity/check.ts';
import { RecentLines } from './status/recent-lines.ts';

export async function runAgent(): Promise<void> {
  const lines = new RecentLines();
  await runProgram<Flags>({
    name: 'swarming-client',
    flags: agentFlags,
    canHurry: true,
    onLine: (line) => lines.addLogged(line),
    check: checkIdentity,
    start: (flags, { log, giveUp }) =>
      startAgent({
        ...flags,
        log,
        lines,
        // A hundred times per second doubles the cost of an idle agent: 0.6% of a core here, not 0.3%.
        metrics: processMetrics({ eventLoopEveryMs: 500 }),
        proc: '/proc',
        // Its supervisor restarts it, and with it the bot.
        onNotRebooted: giveUp,
        // For a simulated machine: it reboots, but the computer that simulates it does not.
        bootId: process.env.SKOLO_BOOT_ID || undefined,
      }),
  });
}
