import type { SkoloCommand } from '../../command.ts';
import type { Io } from '../../io.ts';
import { loadRack } from '../../rack-file.ts';

/** `skolo rack swarming-config`: what tells bots where their tokens come from. */
export function define(command: SkoloCommand, io: Io): void {
  command
    .description(
      'The file /etc/swarming_config/oauth2_access_token_config.json of a bot: it says where the metadata server gives tokens. The same for all machines of a rack.',
    )
    .summary('where bots get their tokens, as the file that they read')
    .uses('rack')
    .example(
      'skolo rack swarming-config --rack racks/rack4/rack.yaml > oauth2_access_token_config.json',
    );

  command.action(async () => {
    const rack = await loadRack(command.globals());
    const { swarmingConfig } = await import('@skolo/rack');
    io.out(swarmingConfig(rack).trimEnd());
  });
}
