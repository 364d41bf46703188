import type { SkoloCommand } from '../../command.ts';
import { printJson } from '../../io.ts';

/** `skolo rack schema`: the JSON Schema, for editors. */
export function define(command: SkoloCommand): void {
  command
    .description(
      'Prints the rack.yaml JSON Schema, which editors use to complete and check the file. Put `# yaml-language-server: $schema=rack.schema.json` at the top of rack.yaml.',
    )
    .summary('print the JSON Schema for editors')
    .uses()
    .example('skolo rack schema > rack.schema.json')
    .action(async () => {
      const { rackJsonSchema } = await import('@skolo/rack');
      printJson(command.io, rackJsonSchema());
    });
}
