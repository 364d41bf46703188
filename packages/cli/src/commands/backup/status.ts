import type { BackupEquipment, OffsiteStatus } from '@skolo/api';
import { isBackupWrong } from '@skolo/api/backup-verdict';
import { exitCodes } from '../../errors.ts';
import { isFiltered } from '../../filters.ts';
import { expandedNames } from '../../names.ts';
import { list } from '../../output/list.ts';
import type { HeadLine, Remark } from '../../output/overview.ts';
import { lastSeen, relative } from '../../output/time.ts';
import { routerBackup } from '../../reach/service-client.ts';
import {
  backupFilters,
  lostLines,
  sizeColumn,
  stateOrder,
  stateStyle,
  stateText,
  tallyOfEquipment,
  urgencyOf,
} from './backup-text.ts';
import { findEquipment } from './equipment-names.ts';
import { canReadCopies, isFromCopy, type ReaderOptions } from './reader.ts';

/** `skolo backup status`: the backup of each device. */
export const define = list<BackupEquipment, ReaderOptions & { retired?: true }>({
  description:
    'Lists equipment with the state of its backups, starting with problems and their reasons. It also shows whether changes are unsaved, and whether the newest version is stored off site. If the terminal is too small, backed-up equipment shares one line; list them with --state ok. --from lists the equipment in a copy and its newest versions. The exit code is 3 if a listed backup has failed, is overdue or was never made.',
  summary: 'show backup status',
  example: 'skolo backup status --rack racks/rack4/rack.yaml',
  names: ['[names...]', "names (default: all); quote ranges: 'switch-[1-3]'"],
  options(command) {
    command.option('--retired', 'include equipment that was removed from rack.yaml');
    canReadCopies(command);
  },
  filters: backupFilters,
  async find({ command, words, options }) {
    const names = expandedNames(words);
    const isFilter = isFiltered(backupFilters, options);
    if (isFromCopy(command, options)) {
      if (isFilter) {
        command.error("'--state' and '--model' cannot be used with '--from'");
      }
      const { printCopyStatus } = await import('./copy-status.ts');
      await printCopyStatus(command, options, names);
      return undefined;
    }
    const { equipment, offsite, lost } = await routerBackup(command).ask((client) =>
      client.allEquipment(),
    );
    const now = command.io.now();
    const red = (text: string): HeadLine => ({ text, style: 'red' });
    const restore =
      'to restore lost versions from a copy, run skolo backup restore-history --from PLACE --reason WHY';
    const unsafe = 'no off-site copy; set services.router-backup.upload in rack.yaml';
    return {
      rows: findEquipment(command.io, names, equipment),
      json: (rows) => ({ equipment: rows, offsite, lost }),
      head: [
        ...offsite.map((place): HeadLine => {
          const text = placeText(place, now);
          return place.problem === undefined ? { text } : red(text);
        }),
        ...lost.flatMap(lostLines).map(red),
        ...(lost.length > 0 ? [{ text: restore }] : []),
        ...(offsite.length === 0 ? [{ text: unsafe }] : []),
      ],
    };
  },
  judge({ io }, items) {
    if (items.some(isBackupWrong)) io.exitCode = exitCodes.partlyFailed;
  },
  noun: 'configuration',
  verdict: ({ state }) => state,
  verdicts: stateOrder,
  rank: urgencyOf,
  isGood: (item) => !isBackupWrong(item) && !item.unsaved,
  totals: tallyOfEquipment,
  isHidden: ({ state }, { retired }) => !retired && state === 'retired',
  more: (_, hidden) => (hidden > 0 ? `; ${hidden} retired (list with --retired)` : ''),
  remarks: remarksOf,
  isFoldable: (item, now) =>
    item.state === 'ok' && !item.reading && remarksOf(item, now).length === 0,
  columns: [
    { title: 'NAME', cell: ({ name }) => name, shrinkTo: 12 },
    { title: 'MODEL', cell: ({ model }) => model, shrinkTo: 8, leaveOut: 1 },
    {
      title: 'STATE',
      cell: (item) => [
        stateText(item),
        ...(item.unsaved ? ['unsaved'] : []),
        ...(item.reading ? ['reading now'] : []),
      ],
      style: (item) => stateStyle(item) ?? (item.unsaved ? 'yellow' : undefined),
      shrinkTo: 17,
    },
    {
      title: 'VERIFIED',
      cell: (item, now) =>
        item.lastSuccess || isBackupWrong(item) ? lastSeen(item.lastSuccess, now) : undefined,
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
  ],
});

function remarksOf(equipment: BackupEquipment, now: number): Remark[] {
  const { name, state, why, failure, detail, failures = 1, hasTranscript, retiredAt } = equipment;
  const { startup, partial, unseen, doubt, legacyAlgorithms = [] } = equipment;
  const ago = (time: string | undefined) => (time === undefined ? '' : ` ${relative(time, now)}`);
  const remarks: string[] = [];
  if (isBackupWrong(equipment) && failure !== undefined) {
    const often = failures > 1 ? `failed ${failures} times in a row, last` : 'failed';
    const said = hasTranscript ? `; see skolo backup transcript ${name}` : '';
    remarks.push(
      `${often}${ago(equipment.lastAttempt)}: ${failure}${detail === undefined ? '' : `: ${detail}`}${said}`,
    );
  } else if (state === 'never') {
    remarks.push(`no backup attempted yet; run skolo backup run ${name}`);
  } else if (state === 'overdue') {
    remarks.push(`overdue; back it up with skolo backup run ${name} --wait`);
  }
  if (equipment.unsaved) {
    const both = startup === undefined ? '' : `; see skolo backup diff ${name} startup latest`;
    remarks.push(`unsaved: a reboot would not load the running configuration${both}`);
  }
  if (partial) remarks.push(`only a part is backed up, because of allowPartial: ${partial}`);
  if (unseen) remarks.push(`the last backup was stored, but not all was seen: ${unseen}`);
  if (doubt) remarks.push(`the last backup may be a message: ${doubt}`);
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
