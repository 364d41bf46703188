import type { SkoloCommand } from '../../command.ts';
import type { Io } from '../../io.ts';
import { giveContent } from './give-content.ts';
import { canReadCopies, type ReaderOptions, withReader } from './reader.ts';
import { oneDevice } from './wanted-names.ts';

interface Options extends ReaderOptions {
  version: string;
  secrets?: true;
  output?: string;
}

/** `skolo backup show`: one configuration. */
export function define(command: SkoloCommand, io: Io): void {
  command
    .description(
      'A configuration. Its secrets are masked, each by a word that is another one when the secret is; with --secrets it is byte for byte what the device gave, for who is admin.',
    )
    .summary('one configuration')
    .argument('<device>', 'its name in rack.yaml')
    .option('--version <version>', versionHelp, 'latest')
    .option('--secrets', 'byte for byte, with its secrets')
    .option('-o, --output <file>', 'into this file, which only you can read');
  canReadCopies(command).example(
    'skolo backup show router --version latest~1 --secrets -o router.conf',
  );

  command.action(async (word: string, options: Options) => {
    const { version, secrets = false, output } = options;
    const device = oneDevice(word);
    const content = await withReader({ io, command, options }, (reader) =>
      reader.content(device, version, secrets),
    );
    await giveContent(io, content, { exact: secrets, output });
    const isMasked = !secrets && Buffer.from(content).includes('<secret ');
    const whom = options.from === undefined ? ', to an admin' : '';
    if (isMasked) io.err(`secrets are masked; --secrets gives it byte for byte${whom}`);
  });
}

export const versionHelp =
  'latest, latest~1 (the one before), an id or its beginning, or a day or time: 2026-11-19';
