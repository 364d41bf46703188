import type { SkoloCommand } from '../../command.ts';
import { powerCycleDaemon } from '../../reach/service-client.ts';

/** `skolo power forget`: gives up an outlet of a device that is no longer in rack.yaml. */
export function define(command: SkoloCommand): void {
  command
    .description(
      'Makes the service forget an outlet that is stuck off and whose controller was removed from rack.yaml. Until you run this command, the service keeps trying to turn the outlet on, and an alert is firing. Outlets of controllers that are still in rack.yaml cannot be forgotten.',
    )
    .summary('give up on an outlet of a removed controller')
    .argument('<outlet>', 'outlet, as named in the alert, such as pdu-1/4')
    .option('--reason <text>', 'reason to record in the audit log')
    .example("skolo power forget pdu-1/4 --reason 'replaced by pdu-3'");

  command.action(async (outlet: string, { reason }: { reason?: string }) => {
    const query = { why: reason };
    await powerCycleDaemon(command).ask((client) =>
      client.forgetPendingOn({ params: { outlet }, query }),
    );
    command.io.err(`${outlet}: the service will no longer try to turn this outlet on`);
  });
}
