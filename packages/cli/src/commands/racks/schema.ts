import type { SkoloCommand } from '../../command.ts';
import { printJson } from '../../io.ts';

/** `skolo racks schema`: the JSON Schema of the list of racks, for editors. */
export function define(command: SkoloCommand): void {
  command
    .description('Prints the JSON Schema of kube/clusters/config.json.')
    .summary('print the JSON Schema of the list for editors')
    .uses()
    .example('skolo racks schema > clusters.schema.json')
    .action(async () => {
      const { clustersJsonSchema } = await import('@skolo/fleet');
      printJson(command.io, clustersJsonSchema());
    });
}
