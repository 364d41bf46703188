import type { SkoloCommand } from '../../command.ts';
import { loadRack } from '../../workstation/rack-file.ts';

/** `skolo rack swarming-config`: prints the token configuration of bots. */
export function define(command: SkoloCommand): void {
  command
    .description(
      "Prints /etc/swarming_config/oauth2_access_token_config.json for a rack's bots. The file contains the metadata server's token URL.",
    )
    .summary("print the bots' token configuration")
    .uses('rack')
    .example(
      'skolo rack swarming-config --rack racks/rack4/rack.yaml > oauth2_access_token_config.json',
    );

  command.action(async () => {
    const rack = await loadRack(command.globals());
    const { swarmingConfig } = await import('@skolo/rack');
    command.io.out(swarmingConfig(rack).trimEnd());
  });
}
