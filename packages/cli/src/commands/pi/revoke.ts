import type { SkoloCommand } from '../../command.ts';
import { enrolmentService } from './enrolment.ts';

/** `skolo pi revoke`: ends the enrolment secret of a common image. */
export function define(command: SkoloCommand): void {
  command
    .description(
      'Revokes the enrolment secret of a common image, as when a card is lost that has never started. Cards with that image are rejected from then on. Those that have got a name keep it.',
    )
    .summary('revoke the secret of a common image')
    .argument('<id>', 'of skolo pi waiting --secrets')
    .uses('rack', 'url', 'tokenFile')
    .example('skolo pi revoke 3fa92c01');

  command.action(async (id: string) => {
    const service = enrolmentService(command);
    await service.ask((client) => client.revokeEnrolmentSecret({ params: { id } }));
    command.io.err(`${id}: revoked`);
  });
}
