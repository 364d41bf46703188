import type { BackupDevice, ClientAnswer, OffsiteStatus, routerBackupApi } from '@skolo/api';
import { isBackupWrong } from '@skolo/api/backup-verdict';
import type { SkoloCommand } from '../../command.ts';
import { exitCodes } from '../../errors.ts';
import { addFilters, type FilterOptions, isFiltered, selected } from '../../filters.ts';
import { type Io, printJson } from '../../io.ts';
import { expandedNames } from '../../names.ts';
import { countOf, printOverview, type Remark } from '../../output/overview.ts';
import type { Column } from '../../output/table.ts';
import { lastSeen, relative } from '../../output/time.ts';
import { routerBackup } from '../../reach/service-client.ts';
import {
  backupFilters,
  lostLines,
  sizeColumn,
  stateStyle,
  stateText,
  tallyOfDevices,
  urgencyOf,
} from './backup-text.ts';
import { findDevices } from './device-names.ts';
import { canReadCopies, isFromCopy, type ReaderOptions } from './reader.ts';

interface Options extends ReaderOptions, FilterOptions {
  retired?: true;
  json?: true;
}

/** `skolo backup status`: the backup of each device. */
export function define(command: SkoloCommand): void {
  command
    .description(
      'Lists devices with the state of their backups, starting with problems and their reasons. It also shows whether a device has unsaved changes, and whether the newest version is stored off site. If the terminal is too small, backed-up devices share one line; list them with --state ok. --from lists the devices in a copy and their newest versions. The exit code is 3 if the backup of a listed device has failed, is overdue or was never made.',
    )
    .summary('show backup status for each device')
    .argument('[names...]', "device names (default: all); quote ranges: 'switch-[1-3]'")
    .option('--retired', 'include devices that were removed from rack.yaml');
  addFilters(command, backupFilters);
  command.option('--json', 'print JSON');
  canReadCopies(command).example('skolo backup status --rack racks/rack4/rack.yaml');

  command.action(async (words: string[], options: Options) => {
    const names = expandedNames(words);
    const isFilter = isFiltered(backupFilters, options);
    if (isFromCopy(command, options)) {
      if (isFilter) {
        command.error("'--state' and '--model' cannot be used with '--from'");
      }
      const { printCopyStatus } = await import('./copy-status.ts');
      return printCopyStatus(command, options, names);
    }
    const { devices, offsite, lost } = await routerBackup(command).ask((client) =>
      client.devices(),
    );
    const found = findDevices(command.io, names, devices);
    const filtered = selected(command.io, found, backupFilters, options);
    if (filtered.some(isBackupWrong)) command.io.exitCode = exitCodes.partlyFailed;
    if (options.json) return printJson(command.io, { devices: filtered, offsite, lost });
    if (found.length === 0 && words.length > 0) return undefined;
    const isSelection = words.length > 0 || isFilter;
    const isShown = ({ state }: BackupDevice) =>
      options.retired || isSelection || state !== 'retired';
    const hidden = filtered.filter((device) => !isShown(device)).length;
    const shown = filtered.filter(isShown);
    const counts = { hidden, all: found.length - hidden, isSelection };
    return printStatus(command.io, shown, { ...counts, offsite, lost });
  });
}

interface Shown
  extends Pick<ClientAnswer<(typeof routerBackupApi)['devices']>, 'offsite' | 'lost'> {
  /** Number of devices that have left rack.yaml and are not listed. */
  hidden: number;
  /** Number of devices before filtering. */
  all: number;
  isSelection: boolean;
}

/** Totals and off-site locations, problems with their reasons, then devices without problems. */
function printStatus(
  io: Io,
  devices: readonly BackupDevice[],
  { hidden, all, isSelection, offsite, lost }: Shown,
): void {
  const now = io.now();
  const rows = devices.toSorted((a, b) => urgencyOf(a) - urgencyOf(b));
  const isUnhealthy = devices.some((device) => isBackupWrong(device) || device.unsaved);
  const more = hidden > 0 ? `; ${hidden} retired (list with --retired)` : '';
  const totals = devices.length > 0 ? `: ${tallyOfDevices(devices)}` : '';
  const restore =
    'to restore lost versions from a copy, run skolo backup restore-history --from PLACE --reason WHY';
  const unsafe = 'no off-site copy; set services.router-backup.upload in rack.yaml';
  printOverview(io, {
    head: [
      {
        text: `${countOf(devices.length, all, 'device')}${totals}${more}`,
        style: isUnhealthy ? 'yellow' : 'green',
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
    columns,
    remarks: rows.flatMap((device) => remarksOf(device, now)),
    verdict: ({ state }) => state,
    isFoldable: (device) =>
      device.state === 'ok' && !device.reading && remarksOf(device, now).length === 0,
    isSelection,
  });
}

const columns: Column<BackupDevice>[] = [
  { title: 'NAME', cell: ({ name }) => name, shrinkTo: 12 },
  { title: 'MODEL', cell: ({ model }) => model, shrinkTo: 8, leaveOut: 1 },
  {
    title: 'STATE',
    cell: (device) => [
      stateText(device),
      ...(device.unsaved ? ['unsaved'] : []),
      ...(device.reading ? ['reading now'] : []),
    ],
    style: (device) => stateStyle(device) ?? (device.unsaved ? 'yellow' : undefined),
    shrinkTo: 17,
  },
  {
    title: 'VERIFIED',
    cell: (device, now) =>
      device.lastSuccess || isBackupWrong(device) ? lastSeen(device.lastSuccess, now) : undefined,
  },
  {
    title: 'CHANGED',
    cell: ({ changedAt }, now) => changedAt && relative(changedAt, now),
    leaveOut: 5,
  },
  { title: 'VERSIONS', cell: ({ versions }) => versions, leaveOut: 3 },
  { ...sizeColumn(({ size }) => size), leaveOut: 2 },
  {
    title: 'OFF SITE',
    cell: ({ offsite }) => (offsite === 'none' ? undefined : offsite),
    style: ({ offsite }) => (offsite === 'queued' ? 'yellow' : undefined),
    leaveOut: 4,
  },
];

function remarksOf(device: BackupDevice, now: number): Remark[] {
  const { name, state, why, failure, detail, failures = 1, hasTranscript, retiredAt } = device;
  const { startup, legacyAlgorithms = [] } = device;
  const ago = (time: string | undefined) => (time === undefined ? '' : ` ${relative(time, now)}`);
  const remarks: string[] = [];
  if (isBackupWrong(device) && failure !== undefined) {
    const often = failures > 1 ? `failed ${failures} times in a row, last` : 'failed';
    const said = hasTranscript ? `; see skolo backup transcript ${name}` : '';
    remarks.push(
      `${often}${ago(device.lastAttempt)}: ${failure}${detail === undefined ? '' : `: ${detail}`}${said}`,
    );
  } else if (state === 'never') {
    remarks.push(`no backup attempted yet; run skolo backup run ${name}`);
  } else if (state === 'overdue') {
    remarks.push(`overdue; back it up with skolo backup run ${name} --wait`);
  }
  if (device.unsaved) {
    const both = startup === undefined ? '' : `; see skolo backup diff ${name} startup latest`;
    remarks.push(`unsaved: the device would not boot with the running configuration${both}`);
  }
  if (legacyAlgorithms.length > 0) {
    remarks.push(`SSH uses old algorithms: ${legacyAlgorithms.join(', ')}`);
  }
  if (state === 'not-backed-up') remarks.push(`not backed up: ${why ?? 'no reason given'}`);
  if (state === 'retired') {
    remarks.push(`removed from rack.yaml${ago(retiredAt)}; the versions are kept`);
  }
  return remarks.map((text) => ({ name, text }));
}

/** `gs://my-backups/rack4: all stored, last upload 3 h ago`. */
function placeText({ url, queued, lastSuccess, problem }: OffsiteStatus, now: number): string {
  const what = queued === 0 ? 'all stored' : `${queued} queued`;
  const last =
    lastSuccess === undefined ? 'no upload yet' : `last upload ${relative(lastSuccess, now)}`;
  return `${url}: ${what}, ${last}${problem === undefined ? '' : `: ${problem}`}`;
}
