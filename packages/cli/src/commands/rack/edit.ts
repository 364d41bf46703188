import type { SkoloCommand } from '../../command.ts';
import { editInventory } from '../inventory/edit-file.ts';

/** `skolo rack edit`: changes that a new version of skolo makes to rack.yaml. */
export function define(command: SkoloCommand): void {
  command
    .description(
      'Renames the keys in rack.yaml that have a new name, such as `infrastructure`, which is now `equipment`. Everything else is kept, including comments.',
    )
    .summary('rename keys that have a new name')
    .requiredOption('--words', 'rename the keys')
    .uses('rack')
    .example('skolo rack edit --words --rack racks/rack4/rack.yaml');

  command.action(async () => {
    await editInventory(command, async (text = '', file) => {
      const { withCurrentWords } = await import('@skolo/rack/edit');
      return withCurrentWords(text, file);
    });
  });
}
