import type { SkoloCommand } from '../../command.ts';
import { CliError } from '../../errors.ts';
import { askServices, hostKeyServices } from './host-key-services.ts';

/** `skolo equipment forget`: forgets the host key of a swapped device. */
export function define(command: SkoloCommand): void {
  command
    .description(
      'Makes services forget the ssh host key of a device that was swapped. The router backup also forgets its serial number and host name. Services then pin the next key that they see. Use it only for a device that was really swapped: otherwise an attacker can impersonate it.',
    )
    .summary('forget the host key of a swapped device')
    .argument('<device>', 'name in rack.yaml')
    .option('--reason <text>', 'for the audit log')
    .example("skolo equipment forget switch-1 --reason 'swapped, ticket 4711'");

  command.action(async (device: string, { reason }: { reason?: string }) => {
    const services = await hostKeyServices(command);
    const query = { why: reason };
    const answers = await askServices(command.io, services, async ({ name, service }) => {
      const params = { device };
      const { forgotten } = await service.ask((client) => client.forgetHostKey({ params, query }));
      return { name, forgotten };
    });
    const forgot = answers.filter(({ forgotten }) => forgotten);
    for (const { name } of forgot) command.io.err(`${name}: forgot the host key of ${device}`);
    if (forgot.length > 0) return;
    const who = answers.length < services.length ? 'no service that answered' : 'no service';
    throw new CliError(
      `${device}: ${who} has pinned its host key; skolo equipment keys lists them`,
    );
  });
}
