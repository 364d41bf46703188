import { ApiUnreachable } from '@skolo/api';
import { jumphostServices } from '@skolo/rack/light';
import { type FailOver, failOver, waitUntilQuiet } from '@skolo/setup/jumphost';
import { Argument } from 'commander';
import { reasonOption } from '../../arguments.ts';
import type { SkoloCommand } from '../../command.ts';
import { CliError } from '../../errors.ts';
import { plain } from '../../output/text.ts';
import { openJumphostHost, workstationName } from '../../reach/machine-way.ts';
import { rackOn } from '../../reach/racks.ts';
import { powerCycleDaemon } from '../../reach/service-client.ts';
import { rackToReach } from '../../workstation/rack-file.ts';

interface Options {
  cutOver?: true;
  unit: string[];
  reason: string;
}

/** Timeout until it is idle. */
const quietMs = 45 * 60_000;
/** Timeout until the daemon has ended. The hold is in its journal, so it also applies to the next daemon. */
const endMs = 5 * 60_000;

/** `skolo jumphost rollback`: returns a service to the existing system, or cuts it over to skolo again. */
export function define(command: SkoloCommand): void {
  command
    .description(
      "Rolls a service back to the existing system's units, or returns it to k3s (--cut-over). The command stops the current program, confirms that it has stopped, and then starts the other program, so two power controllers never run at the same time. The choice persists across reboots, skolo push and skolo jumphost prepare. If the command is interrupted, run it again.",
    )
    .summary('roll back to the existing system')
    .rackArgument('<rack>')
    .addArgument(new Argument('<service>').choices(jumphostServices))
    .option(
      '--cut-over',
      'return the service to k3s; if its pod does not become ready, the existing system is started again',
    )
    .option(
      '--unit <name...>',
      "the existing system's systemd units (default: those that are running or were running before)",
      [],
    )
    .addOption(reasonOption("the jumphost's log"))
    .uses('rack', 'tokenFile')
    .example("skolo jumphost rollback rack4 metadata-server --reason 'tokens are late'");

  command.interruptible(
    async (signal, _rack: string, service: FailOver['service'], options: Options) => {
      const { io } = command;
      const { cutOver = false, unit: units, reason } = options;
      const fleetRack = await rackOn(command);
      const change = cutOver ? 'cut over to k3s' : 'rolled back to the existing system';
      const what = `${service} ${change}: ${reason}`;
      const { host } = await openJumphostHost(command, fleetRack, { what, signal });
      const isPower = service === 'power-cycle-daemon';
      const release = isPower && !cutOver ? await quiet(command, signal) : undefined;
      try {
        const by = workstationName();
        const verb = cutOver ? 'fail-back' : 'existing';
        for (const line of await failOver(host, { service, units, by, verb })) io.out(plain(line));
      } catch (error) {
        // It ends by itself, and the first error matters.
        await release?.().catch(() => undefined);
        throw error;
      }
    },
  );
}

/**
 * First turns on what our daemon has turned off, because nothing else would. Continues if the daemon does not respond, which is the reason
 * for a rollback.
 *
 * @returns ends its hold of the rack
 */
async function quiet(
  command: SkoloCommand,
  signal: AbortSignal,
): Promise<(() => Promise<void>) | undefined> {
  const { io } = command;
  const rack = await rackToReach(command);
  const daemon = powerCycleDaemon(command);
  const report = (line: string) => io.out(plain(line));
  const reason = 'the power-cycle daemon is being rolled back to the existing system';
  const after = (ms: number) => new Date(io.now() + ms).toISOString();
  try {
    return await daemon.ask(async (power) => {
      const release = await waitUntilQuiet({ rack, power, report, signal }, reason, after(quietMs));
      const { holds } = await power.hold({
        body: { targets: [rack.name], reason, until: after(endMs) },
      });
      await release();
      return async () => {
        await Promise.all(holds.map(({ id }) => power.release({ params: { id }, query: {} })));
      };
    });
  } catch (error) {
    signal.throwIfAborted();
    const { cause } = error instanceof CliError ? error : {};
    if (!(cause instanceof ApiUnreachable)) throw error;
    report('power-cycle-daemon is not responding; check its journal for outlets that it left off');
    return undefined;
  }
}
