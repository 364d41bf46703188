import { Option } from 'commander';
import type { SkoloCommand } from '../../command.ts';
import type { Io } from '../../io.ts';
import { upTo } from '../../limit.ts';
import { printJson } from '../../output/json.ts';
import { canReadCopies, type ReaderOptions, withReader } from './reader.ts';

interface Options extends ReaderOptions {
  limit: number;
  json?: true;
}

/** `skolo backup list`: the versions of a device. */
export function addBackupList(noun: SkoloCommand, io: Io): void {
  const command = noun
    .command('list')
    .description(
      'The versions of the configuration of a device, also of one that has left the rack. The newest is at the bottom. Each can be named by what is in its first column, by its id or the beginning of it, or by a day or time at which it was in force.',
    )
    .summary('the versions of a device')
    .argument('<device>', 'its name in rack.yaml')
    .addOption(
      new Option('--limit <n>', 'how many, the newest').argParser(upTo(10_000)).default(20),
    )
    .option('--json', 'print JSON');
  canReadCopies(command).example('skolo backup list router');

  command.action(async (word: string, options: Options) => {
    const { oneDevice } = await import('./wanted-names.ts');
    const { printVersions } = await import('./versions-table.ts');
    const device = oneDevice(word);
    const versions = await withReader({ io, command, options }, (reader) =>
      reader.versions(device, options.limit),
    );
    if (options.json) return printJson(io, { versions });
    printVersions(io, versions);
    if (versions.length === 0) io.err(`${device} has not been backed up yet`);
  });
}
