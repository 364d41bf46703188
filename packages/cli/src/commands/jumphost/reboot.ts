import { whyNotActing } from '@skolo/rack';
import { rebootJumphost } from '@skolo/setup/jumphost';
import { reasonOption } from '../../arguments.ts';
import type { SkoloCommand } from '../../command.ts';
import { CliError } from '../../errors.ts';
import { plain } from '../../output/text.ts';
import { openJumphostHost } from '../../reach/machine-way.ts';
import { rackOn } from '../../reach/racks.ts';
import { powerCycleDaemon } from '../../reach/service-client.ts';
import { rackToReach } from '../../workstation/rack-file.ts';

/** `skolo jumphost reboot`: reboots the jumphost when no outlet is waiting to be turned on. */
export function define(command: SkoloCommand): void {
  command
    .description(
      'Reboots the jumphost. The command first holds the rack, so that no power cycles can start, and waits until running cycles have finished and all outlets are on again. After the reboot, it waits until all services are ready, and then releases the hold.',
    )
    .summary('reboot the jumphost safely')
    .rackArgument('<rack>')
    .addOption(reasonOption("the jumphost's log"))
    .uses('rack', 'tokenFile')
    .example("skolo jumphost reboot rack4 --reason 'new kernel'");

  command.interruptible(async (signal, _name: string, { reason }: { reason: string }) => {
    const { io } = command;
    const fleetRack = await rackOn(command);
    const rack = await rackToReach(command);
    const why = whyNotActing(rack);
    if (why !== undefined) throw new CliError(`${rack.name}: ${why}`);
    const daemon = powerCycleDaemon(command);
    await daemon.open();
    const what = `reboot of the jumphost: ${reason}`;
    const { jumphost, host } = await openJumphostHost(command, fleetRack, { what, signal });
    await daemon.ask((power) =>
      rebootJumphost({
        rack,
        host,
        power,
        signal,
        fetch: jumphost.fetch,
        now: io.now,
        report: (line) => io.out(plain(line)),
      }),
    );
  });
}
