import type { SkoloCommand } from '../../command.ts';
import type { Io } from '../../io.ts';
import { printJson } from '../../output/json.ts';
import { timestamp } from '../../output/time.ts';
import { canReadCopies, type KnownVersion, type ReaderOptions, withReader } from './reader.ts';

interface Options extends ReaderOptions {
  secrets?: true;
  json?: true;
}

/** `skolo backup diff`: what changed. */
export function addBackupDiff(noun: SkoloCommand, io: Io): void {
  const command = noun
    .command('diff')
    .description(
      'What changed in the configuration of a device from one version to another, as a unified diff: by default from the one before to the newest. Secrets are masked, each by a word that is another one when the secret is.',
    )
    .summary('what changed')
    .argument('<device>', 'its name in rack.yaml')
    .argument('[from]', 'a version: latest~3, an id, a day or time', 'latest~1')
    .argument('[to]', 'another one', 'latest')
    .option('--secrets', 'show secrets')
    .option('--json', 'print JSON');
  canReadCopies(command).example('skolo backup diff router 2026-11-12 latest');

  command.action(async (word: string, from: string, to: string, options: Options) => {
    const { oneDevice } = await import('./wanted-names.ts');
    const { printDiff } = await import('./diff-text.ts');
    const device = oneDevice(word);
    const difference = await withReader({ io, command, options }, (reader) =>
      reader.diff(device, { from, to }, options.secrets ?? false),
    );
    if (options.json) return printJson(io, difference);
    if (difference.diff !== '') return printDiff(io, difference.diff);
    io.err(`${device}: the same, ${read(difference.from)} and ${read(difference.to)}`);
  });
}

function read({ time }: KnownVersion): string {
  return timestamp(new Date(time));
}
