/** Texts and styles of devices and runs. */

import type {
  BackupEquipment,
  BackupState,
  BackupVersion,
  FailureClass,
  LostHistory,
  RunEquipment,
} from '@skolo/api';
import { backupWord, isBackupWrong } from '@skolo/api/backup-verdict';
import { count } from '@skolo/base';
import { commandLine, type SkoloCommand } from '../../command.ts';
import type { Filter } from '../../filters.ts';
import { tally } from '../../output/overview.ts';
import type { Column } from '../../output/table.ts';
import type { Style } from '../../output/text.ts';
import { sizeText, timestamp } from '../../output/time.ts';

/** Most urgent first. */
export const stateOrder: BackupState[] = [
  'overdue',
  'failed',
  'never',
  'ok',
  'not-backed-up',
  'retired',
];

export const backupFilters: Filter<BackupEquipment>[] = [
  {
    name: 'state',
    description: 'show only these states',
    values: [...stateOrder, 'unsaved'],
    of: ({ state, unsaved }) => (unsaved ? [state, 'unsaved'] : state),
  },
  { name: 'model', description: 'show only these models', of: ({ model }) => model },
];

/** Lower is more urgent. */
export function urgencyOf({ state, unsaved }: BackupEquipment): number {
  const rank = stateOrder.indexOf(state);
  // Backed up, but a power cut would lose the running configuration.
  return state === 'ok' && unsaved ? rank - 0.5 : rank;
}

export function stateText({ state, failure }: Pick<BackupEquipment, 'state' | 'failure'>): string {
  const word = backupWord({ state });
  return failure === undefined || !isBackupWrong({ state }) ? word : `${word} (${failure})`;
}

export function stateStyle(
  equipment: Pick<BackupEquipment, 'state' | 'failure'>,
): Style | undefined {
  if (equipment.state === 'never' && equipment.failure === undefined) return 'yellow';
  if (isBackupWrong(equipment)) return 'red';
  return equipment.state === 'ok' ? undefined : 'dim';
}

/** `17 ok, 1 failed (timeout), 1 not backed up; 1 unsaved`. */
export function tallyOfEquipment(equipment: readonly BackupEquipment[]): string {
  const order: BackupState[] = ['ok', 'failed', 'overdue', 'never', 'not-backed-up', 'retired'];
  const byState = Map.groupBy(equipment, ({ state }) => state);
  const parts = order.flatMap((state) => {
    const alike = byState.get(state);
    if (alike === undefined) return [];
    return [
      `${alike.length} ${stateText({ state })}${isBackupWrong({ state }) ? classes(alike) : ''}`,
    ];
  });
  const unsaved = equipment.filter((item) => item.unsaved).length;
  return parts.join(', ') + (unsaved > 0 ? `; ${unsaved} unsaved` : '');
}

/** `18 ok (2 changed), 1 failed (timeout), 1 not backed up`, and devices that are not finished. */
export function tallyOfRun(equipment: readonly RunEquipment[]): string {
  const changed = equipment.filter(({ result }) => result === 'changed').length;
  const ok = changed > 0 ? `ok (${changed} changed)` : 'ok';
  const failed = `failed${classes(equipment.filter(({ result }) => result === 'failed'))}`;
  const words = equipment.map((item) => {
    if (isOk(item)) return ok;
    if (item.result === 'failed') return failed;
    if (item.result === 'not-backed-up') return 'not backed up';
    return item.state === 'reading' ? 'being read' : 'waiting';
  });
  return tally(words, [ok, failed, 'not backed up', 'being read']);
}

/** ` (timeout)`; for several, ` (2 timeout, 1 auth)`. */
function classes(failed: readonly { failure?: FailureClass | undefined }[]): string {
  const failures = failed.flatMap(({ failure }) => failure ?? []);
  const known = [...Map.groupBy(failures, (failure) => failure)];
  const parts = known
    .toSorted(([, a], [, b]) => b.length - a.length)
    .map(([failure, { length }]) => (known.length > 1 ? `${length} ${failure}` : failure));
  return parts.length > 0 ? ` (${parts.join(', ')})` : '';
}

export function isOk({ result }: RunEquipment): boolean {
  return result === 'changed' || result === 'unchanged';
}

/** The result, or the state while it is not finished. */
export function resultText({ state, result, failure }: RunEquipment): string {
  if (result === undefined) return state;
  const word = result.replaceAll('-', ' ');
  return failure === undefined ? word : `${word} (${failure})`;
}

export function resultStyle({ result, state }: RunEquipment): Style | undefined {
  if (result === undefined) return state === 'waiting' ? 'dim' : undefined;
  if (result === 'failed') return 'red';
  return result === 'not-backed-up' ? 'dim' : 'green';
}

/** A device's lost versions, naming those that are in no copy. */
export function lostLines({ equipment, versions, newest, unsent }: LostHistory): string[] {
  const what = versions === undefined ? 'versions' : count(versions, 'version');
  return [
    `${equipment}: the history has lost ${what}; the newest lost version is ${nameOf(newest)}`,
    ...unsent.map((version) => `${equipment}: no copy contains version ${nameOf(version)}`),
  ];
}

function nameOf({ id, time }: { id: string; time: string }): string {
  return `${shortVersionId(id)} from ${timestamp(time)}`;
}

export function sizeColumn<Row>(sizeOf: (row: Row) => number | undefined): Column<Row> {
  const cell = (row: Row) => {
    const size = sizeOf(row);
    return size === undefined ? undefined : sizeText(size);
  };
  return { title: 'SIZE', cell, align: 'right' };
}

/** The command line that restores a version. */
export function restoreLine(
  command: SkoloCommand,
  equipment: string,
  id: string,
  ...options: string[]
): string {
  const names = [equipment, '--version', shortVersionId(id), ...options];
  return commandLine(command, 'backup restore', ...names);
}

/** Warns of a version that is only a part of the configuration. */
export function partLines({ partial }: Pick<BackupVersion, 'partial'>): string[] {
  return partial ? [`this version is only a part of the configuration: ${partial}`] : [];
}

/** A unique prefix of a commit id or off-site object name. */
export function shortVersionId(id: string): string {
  const object = /^(\d{4}-\d\d-\d\d-.+-[0-9a-f]{12})[0-9a-f]{28}\.gz(?:\.age)?$/.exec(id);
  if (object?.[1] !== undefined) return object[1];
  return /^[0-9a-f]{40,64}$/.test(id) ? id.slice(0, 12) : id;
}
