import type { BackupDevice, LostHistory, OffsiteStatus } from '@skolo/api';
import type { Io } from '../../io.ts';
import { sizeText } from '../../output/size.ts';
import { styled } from '../../output/style.ts';
import { type Column, printTable } from '../../output/table.ts';
import { count, plain } from '../../output/text.ts';
import { relative } from '../../output/time.ts';
import { isWrong, stateStyle, stateWord, tallyOfDevices, urgencyOf } from './backup-words.ts';
import { lostLines } from './lost-lines.ts';

export interface Status {
  /** Sorted by name. */
  devices: readonly BackupDevice[];
  /** How many are not among them: they have left rack.yaml. */
  hidden: number;
  offsite: readonly OffsiteStatus[];
  lost: readonly LostHistory[];
}

/** Who wants somebody first; below the table why, in full; and last the one line that says it all. */
export function printStatus(io: Io, { devices, hidden, offsite, lost }: Status): void {
  const now = io.now();
  const sorted = devices.toSorted((a, b) => urgencyOf(a) - urgencyOf(b));
  printTable(io, columns(now), sorted);
  const remarks = sorted.flatMap((device) => remarksOf(device, now));
  if (remarks.length > 0) io.out(['', ...remarks.map(plain)].join('\n'));
  const isUnwell = devices.some((device) => isWrong(device) || device.unsaved);
  const more = hidden > 0 ? `; ${count(hidden, 'other')} retired, --retired shows them` : '';
  const summary = `${count(devices.length, 'device')}: ${tallyOfDevices(devices)}${more}`;
  io.out(`\n${styled(summary, isUnwell ? 'yellow' : 'green', io.colour)}`);
  for (const place of offsite) {
    const style = place.problem === undefined ? undefined : 'red';
    io.out(styled(plain(placeText(place, now)), style, io.colour));
  }
  for (const line of lost.flatMap(lostLines)) io.out(styled(plain(line), 'red', io.colour));
  if (lost.length > 0) {
    io.out('skolo backup restore-history --from PLACE brings back what a copy has');
  }
  if (offsite.length === 0) io.out('nothing leaves the rack: rack.yaml names no place off site');
}

function columns(now: number): Column<BackupDevice>[] {
  const age = (time: string | undefined) => time && relative(Date.parse(time), now);
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

function remarksOf(device: BackupDevice, now: number): string[] {
  const { name, state, why, failure, detail, failures = 1, hasTranscript, retiredAt } = device;
  const { startup, legacyAlgorithms = [] } = device;
  const ago = (time: string | undefined) =>
    time === undefined ? '' : ` ${relative(Date.parse(time), now)}`;
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
  return remarks.map((remark) => `${name}: ${remark}`);
}

/** `gs://my-backups/rack4: all stored, last 3 h ago`. */
function placeText({ url, queued, lastSuccess, problem }: OffsiteStatus, now: number): string {
  const ago = lastSuccess === undefined ? 'never' : relative(Date.parse(lastSuccess), now);
  const what = queued === 0 ? 'all stored' : `${queued} waiting to be stored`;
  const last = lastSuccess === undefined ? 'never yet' : `last ${ago}`;
  return `${url}: ${what}, ${last}${problem === undefined ? '' : `: ${problem}`}`;
}
