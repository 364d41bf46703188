import type { BackupDevice, LostHistory, OffsiteStatus } from '@skolo/api';
import type { SkoloCommand } from '../../command.ts';
import { addFilters, type FilterOptions, isFiltered, selected } from '../../filters.ts';
import { type Io, printJson } from '../../io.ts';
import { countOf, printOverview, type Remark } from '../../output/overview.ts';
import type { Column } from '../../output/table.ts';
import { count } from '../../output/text.ts';
import { relative, sizeText } from '../../output/time.ts';
import { routerBackup } from '../../service-client.ts';
import {
  backupFilters,
  isWrong,
  lostLines,
  stateStyle,
  stateWord,
  tallyOfDevices,
  urgencyOf,
} from './backup-words.ts';
import { canReadCopies, isFromCopy, type ReaderOptions } from './reader.ts';
import { wantedNames } from './wanted-names.ts';

interface Options extends ReaderOptions, FilterOptions {
  retired?: true;
  json?: true;
}

/** `skolo backup status`: which devices are backed up, and which are not, and why. */
export function define(command: SkoloCommand, io: Io): void {
  command
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
    const wanted = await wantedNames(words);
    const isFilter = isFiltered(backupFilters, options);
    if (isFromCopy(command, options)) {
      if (isFilter) {
        command.error("'--state' and '--model' have no effect with '--from'");
      }
      const { printCopyStatus } = await import('./copy-status.ts');
      return printCopyStatus({ io, globals: command.globals(), ...options, wanted });
    }
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

interface Status {
  /** Sorted by name. */
  devices: readonly BackupDevice[];
  /** How many are not among them: they have left rack.yaml. */
  hidden: number;
  /** How many there are without the filters. */
  all: number;
  isSelection: boolean;
  offsite: readonly OffsiteStatus[];
  lost: readonly LostHistory[];
}

/** Totals and what leaves the rack, problems with their reasons, then the devices that are backed up. */
async function printStatus(
  io: Io,
  { devices, hidden, all, isSelection, offsite, lost }: Status,
): Promise<void> {
  const now = io.now();
  const rows = devices.toSorted((a, b) => urgencyOf(a) - urgencyOf(b));
  const isUnwell = devices.some((device) => isWrong(device) || device.unsaved);
  const more = hidden > 0 ? `; ${count(hidden, 'other')} retired, --retired shows them` : '';
  const totals = devices.length > 0 ? `: ${tallyOfDevices(devices)}` : '';
  const restore = 'skolo backup restore-history --from PLACE brings back what a copy has';
  const unsafe = 'nothing leaves the rack: rack.yaml names no place off site';
  await printOverview(io, {
    head: [
      {
        text: `${countOf(devices.length, all, 'device')}${totals}${more}`,
        style: isUnwell ? 'yellow' : 'green',
      },
      ...offsite.map((place) => ({
        text: placeText(place, now),
        style: place.problem === undefined ? undefined : ('red' as const),
      })),
      ...lost.flatMap(lostLines).map((text) => ({ text, style: 'red' as const })),
      ...(lost.length > 0 ? [{ text: restore }] : []),
      ...(offsite.length === 0 ? [{ text: unsafe }] : []),
    ],
    rows,
    columns: columns(now),
    remarks: rows.flatMap((device) => remarksOf(device, now)),
    verdict: ({ state }) => state,
    isFoldable: (device) =>
      device.state === 'ok' && !device.reading && remarksOf(device, now).length === 0,
    isSelection,
  });
}

function columns(now: number): Column<BackupDevice>[] {
  const age = (time: string | undefined) => time && relative(time, now);
  return [
    { title: 'NAME', cell: ({ name }) => name, shrinkTo: 12 },
    { title: 'MODEL', cell: ({ model }) => model, shrinkTo: 8, leaveOut: 1 },
    {
      title: 'STATE',
      cell: (device) => [
        stateWord(device),
        ...(device.unsaved ? ['unsaved'] : []),
        ...(device.reading ? ['reading now'] : []),
      ],
      style: (device) => stateStyle(device) ?? (device.unsaved ? 'yellow' : undefined),
      shrinkTo: 17,
    },
    {
      title: 'VERIFIED',
      cell: (device) => age(device.lastSuccess) ?? (isWrong(device) ? 'never' : undefined),
    },
    { title: 'CHANGED', cell: ({ changedAt }) => age(changedAt), leaveOut: 5 },
    { title: 'VERSIONS', cell: ({ versions }) => String(versions), align: 'right', leaveOut: 3 },
    {
      title: 'SIZE',
      cell: ({ size }) => (size === undefined ? undefined : sizeText(size)),
      align: 'right',
      leaveOut: 2,
    },
    {
      title: 'OFF SITE',
      cell: ({ offsite }) => (offsite === 'none' ? undefined : offsite),
      style: ({ offsite }) => (offsite === 'queued' ? 'yellow' : undefined),
      leaveOut: 4,
    },
  ];
}

function remarksOf(device: BackupDevice, now: number): Remark[] {
  const { name, state, why, failure, detail, failures = 1, hasTranscript, retiredAt } = device;
  const { startup, legacyAlgorithms = [] } = device;
  const ago = (time: string | undefined) => (time === undefined ? '' : ` ${relative(time, now)}`);
  const remarks: string[] = [];
  if (isWrong(device) && failure !== undefined) {
    const often = failures > 1 ? `failed ${failures} times in a row, last` : 'failed';
    const said = hasTranscript ? `; skolo backup transcript ${name} shows what was said` : '';
    remarks.push(
      `${often}${ago(device.lastAttempt)}: ${failure}${detail === undefined ? '' : `: ${detail}`}${said}`,
    );
  } else if (state === 'never') {
    remarks.push(`was never tried; skolo backup run ${name} does it now`);
  } else if (state === 'overdue') {
    remarks.push(`overdue; skolo backup run ${name} --wait reads it now`);
  }
  if (device.unsaved) {
    const both = startup === undefined ? '' : `; skolo backup diff ${name} startup latest`;
    remarks.push(`unsaved: it runs another configuration than it would boot with${both}`);
  }
  if (legacyAlgorithms.length > 0) {
    remarks.push(`ssh with old algorithms: ${legacyAlgorithms.join(', ')}`);
  }
  if (state === 'not-backed-up') remarks.push(`not backed up: ${why ?? 'no reason given'}`);
  if (state === 'retired') {
    remarks.push(`left rack.yaml${ago(retiredAt)}; what was backed up stays`);
  }
  return remarks.map((text) => ({ name, text }));
}

/** `gs://my-backups/rack4: all stored, last 3 h ago`. */
function placeText({ url, queued, lastSuccess, problem }: OffsiteStatus, now: number): string {
  const ago = lastSuccess === undefined ? 'never' : relative(lastSuccess, now);
  const what = queued === 0 ? 'all stored' : `${queued} waiting to be stored`;
  const last = lastSuccess === undefined ? 'never yet' : `last ${ago}`;
  return `${url}: ${what}, ${last}${problem === undefined ? '' : `: ${problem}`}`;
}
