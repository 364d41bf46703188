import type { SkoloCommand } from '../../command.ts';
import { oneName } from './equipment-names.ts';
import { outputContent } from './output-content.ts';
import { canReadCopies, type ReaderOptions, withReader } from './reader.ts';

interface Options extends ReaderOptions {
  version: string;
  secrets?: true;
  output?: string;
}

/** `skolo backup show`: prints a configuration. */
export function define(command: SkoloCommand): void {
  command
    .description(
      'Prints a configuration with masked secrets; different secrets have different masks. --secrets prints the exact content and requires the admin role.',
    )
    .summary('print a configuration')
    .argument('<equipment>', 'name in rack.yaml')
    .option('--version <version>', versionHelp, 'latest')
    .option('--secrets', 'print the exact content, including secrets')
    .option('-o, --output <file>', 'output file, readable only by you');
  canReadCopies(command).example(
    'skolo backup show router --version latest~1 --secrets -o router.conf',
  );

  command.action(async (word: string, options: Options) => {
    const { version, secrets = false, output } = options;
    const equipment = oneName(word);
    const content = await withReader(command, options, (reader) =>
      reader.content(equipment, version, secrets),
    );
    await outputContent(command.io, content, { exact: secrets, output });
    const isMasked = !secrets && Buffer.from(content).includes('<secret ');
    const whom = options.from === undefined ? ' if you are an admin' : '';
    if (isMasked) command.io.err(`secrets are masked; use --secrets to print them${whom}`);
  });
}

export const versionHelp =
  'latest, latest~1 (the previous version), an ID or ID prefix, or a date or time such as 2026-11-19';
