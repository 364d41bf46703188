import type { BackupDevice } from '@skolo/api';
import type { SkoloCommand } from '../../command.ts';
import { addFilters, type FilterOptions, isFiltered, selected } from '../../filters.ts';
import type { Io } from '../../io.ts';
import { printJson } from '../../output/json.ts';
import { backupFilters } from './backup-words.ts';
import { canReadCopies, isFromCopy, type ReaderOptions } from './reader.ts';

interface Options extends ReaderOptions, FilterOptions {
  retired?: true;
  json?: true;
}

/** `skolo backup status`: which devices are backed up, and which are not, and why. */
export function addBackupStatus(noun: SkoloCommand, io: Io): void {
  const command = noun
    .command('status')
    .description(
      'Every device: whether its configuration is backed up, when it was read last, what failed, whether it would boot with what it runs, whether the newest version has left the rack. Totals come first, then problems with their reasons. In a terminal that is too low for all rows, devices that are backed up are one line; --state ok lists them. With --from: the devices of a copy, and the newest version that it has.',
    )
    .summary('what is backed up, and what is not')
    .argument('[names...]', "only these; ranges in quotes: 'switch-[1-3]'")
    .option('--retired', 'also those that have left rack.yaml');
  addFilters(command, backupFilters);
  command.option('--json', 'print JSON');
  canReadCopies(command).example('skolo backup status --rack racks/rack4/rack.yaml');

  command.action(async (words: string[], options: Options) => {
    const { wantedNames } = await import('./wanted-names.ts');
    const wanted = await wantedNames(words);
    const isFilter = isFiltered(backupFilters, options);
    if (isFromCopy(command, options)) {
      if (isFilter) {
        command.error("'--state' and '--model' have no effect with '--from'");
      }
      const { printCopyStatus } = await import('./copy-status.ts');
      return printCopyStatus({ io, globals: command.globals(), ...options, wanted });
    }
    const { routerBackup } = await import('./service.ts');
    const { printStatus } = await import('./status-table.ts');
    const service = await routerBackup(command);
    const { devices, offsite, lost } = await service.ask((client) => client.devices());
    const found = await wanted.of(io, devices);
    const filtered = await selected(io, found, backupFilters, options);
    if (options.json) return printJson(io, { devices: filtered, offsite, lost });
    if (found.length === 0 && words.length > 0) return undefined;
    const isSelection = words.length > 0 || isFilter;
    const isShown = ({ state }: BackupDevice) =>
      options.retired || isSelection || state !== 'retired';
    const hidden = filtered.filter((device) => !isShown(device)).length;
    return printStatus(io, {
      devices: filtered.filter(isShown),
      hidden,
      all: found.length - hidden,
      isSelection,
      offsite,
      lost,
    });
  });
}
