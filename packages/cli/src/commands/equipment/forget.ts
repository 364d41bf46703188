import type { SkoloCommand } from '../../command.ts';
import { CliError } from '../../errors.ts';
import type { Io } from '../../io.ts';
import { askKeepers, keyKeepers } from './key-keepers.ts';

/** `skolo equipment forget`: a device was swapped, so its host key is another one. */
export function define(command: SkoloCommand, io: Io): void {
  command
    .description(
      'Makes the services forget the ssh host key of a device that was swapped, and the router backup also its serial number and host name; the next ones that they see are pinned. Say it only when you know that the device was swapped: else somebody may pretend to be it.',
    )
    .summary('forget the host key of a device that was swapped')
    .argument('<device>', 'its name in rack.yaml')
    .option('--reason <text>', 'for the audit log')
    .uses('rack', 'url', 'tokenFile')
    .example("skolo equipment forget switch-1 --reason 'swapped, ticket 4711'");

  command.action(async (device: string, { reason }: { reason?: string }) => {
    const keepers = await keyKeepers(command);
    const query = reason === undefined ? {} : { why: reason };
    const answers = await askKeepers(io, keepers, async ({ name, service }) => {
      const params = { device };
      const { forgotten } = await service.ask((client) => client.forgetHostKey({ params, query }));
      return { name, forgotten };
    });
    const forgot = answers.filter(({ forgotten }) => forgotten);
    for (const { name } of forgot) io.err(`${name} has forgotten the host key of ${device}`);
    if (forgot.length > 0) return;
    const who = answers.length < keepers.length ? 'no service that answered' : 'no service';
    throw new CliError(
      `${device}: ${who} has pinned a host key of it; skolo equipment keys shows which there are`,
    );
  });
}
