import type { SkoloCommand } from '../../command.ts';
import { powerCycleDaemon } from '../../reach/service-client.ts';

/** `skolo power forget`: gives up an outlet of a device that has left rack.yaml. */
export function define(command: SkoloCommand): void {
  command
    .description(
      'Gives up an outlet that is stuck off and whose device has left rack.yaml. Until then the service retries it and raises an alert. The service never gives up an outlet of a device in rack.yaml.',
    )
    .summary('give up an outlet of a removed device')
    .argument('<outlet>', 'as the alert names it: pdu-1/4')
    .option('--reason <text>', 'for the audit log')
    .example("skolo power forget pdu-1/4 --reason 'replaced by pdu-3'");

  command.action(async (outlet: string, { reason }: { reason?: string }) => {
    const query = { why: reason };
    await powerCycleDaemon(command).ask((client) =>
      client.forgetOwed({ params: { outlet }, query }),
    );
    command.io.err(`${outlet}: given up`);
  });
}
