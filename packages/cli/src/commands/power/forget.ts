import type { SkoloCommand } from '../../command.ts';
import type { Io } from '../../io.ts';
import { powerCycleDaemon } from '../../service-client.ts';

/** `skolo power forget`: the device is gone, and with it the outlet that is to be turned on for ever. */
export function define(command: SkoloCommand, io: Io): void {
  command
    .description(
      'Gives up an outlet that is stuck off at a device which has left rack.yaml: until then it is tried, and alerted, for ever. One whose device is in rack.yaml is never given up.',
    )
    .summary('give up an outlet of a device that has left the rack')
    .argument('<outlet>', 'as the alert names it: pdu-1/4')
    .option('--reason <text>', 'for the audit log')
    .uses('rack', 'url', 'tokenFile')
    .example("skolo power forget pdu-1/4 --reason 'replaced by pdu-3'");

  command.action(async (outlet: string, { reason }: { reason?: string }) => {
    const daemon = await powerCycleDaemon(command);
    const query = reason === undefined ? {} : { why: reason };
    await daemon.ask((client) => client.forgetOwed({ params: { outlet }, query }));
    io.err(`${outlet} is no longer owed`);
  });
}
