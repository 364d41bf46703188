import type { SkoloCommand } from '../../command.ts';
import type { Io } from '../../io.ts';
import { printJson } from '../../io.ts';

/** `skolo rack schema`: for editors, which complete and check while one types. */
export function define(command: SkoloCommand, io: Io): void {
  command
    .description(
      'The JSON Schema of rack.yaml. An editor that knows it completes and checks: `# yaml-language-server: $schema=rack.schema.json` at the top of rack.yaml.',
    )
    .summary('the JSON Schema of rack.yaml, for editors')
    .uses()
    .example('skolo rack schema > rack.schema.json')
    .action(async () => {
      const { rackJsonSchema } = await import('@skolo/rack');
      printJson(io, rackJsonSchema());
    });
}
