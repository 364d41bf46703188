/** Texts and styles of devices and runs. */
import type {
  BackupDevice,
  BackupRun,
  DeviceState,
  FailureClass,
  LostHistory,
  RunDevice,
} from '@skolo/api';
import type { Filter } from '../../filters.ts';
import { count, type Style } from '../../output/text.ts';
import { timestamp } from '../../output/time.ts';

/** The most urgent first. */
const stateOrder: DeviceState[] = ['overdue', 'failed', 'never', 'ok', 'not-backed-up', 'retired'];

export const backupFilters: Filter<BackupDevice>[] = [
  {
    name: 'state',
    description: 'only these states',
    values: [...stateOrder, 'unsaved'],
    of: ({ state, unsaved }) => (unsaved ? [state, 'unsaved'] : state),
  },
  { name: 'model', description: 'only these models', of: ({ model }) => model },
];

/** The lower, the more urgent. */
export function urgencyOf({ state, unsaved }: BackupDevice): number {
  const rank = stateOrder.indexOf(state);
  // Backed up, but a power cut would lose the running configuration.
  return state === 'ok' && unsaved ? rank - 0.5 : rank;
}

export function stateText({ state, failure }: Pick<BackupDevice, 'state' | 'failure'>): string {
  const word = state === 'never' ? 'never backed up' : state.replaceAll('-', ' ');
  return failure === undefined || !isWrong({ state }) ? word : `${word} (${failure})`;
}

/** It lacks a backup of its present configuration. */
export function isWrong({ state }: Pick<BackupDevice, 'state'>): boolean {
  return state === 'overdue' || state === 'failed' || state === 'never';
}

export function stateStyle(device: Pick<BackupDevice, 'state' | 'failure'>): Style | undefined {
  if (device.state === 'never' && device.failure === undefined) return 'yellow';
  if (isWrong(device)) return 'red';
  return device.state === 'ok' ? undefined : 'dim';
}

/** `17 ok, 1 failed (timeout), 1 not backed up; 1 unsaved`. */
export function tallyOfDevices(devices: readonly BackupDevice[]): string {
  const order: DeviceState[] = ['ok', 'failed', 'overdue', 'never', 'not-backed-up', 'retired'];
  const parts = order.flatMap((state) => {
    const alike = devices.filter((device) => device.state === state);
    if (alike.length === 0) return [];
    const word = stateText({ state });
    return [`${alike.length} ${word}${isWrong({ state }) ? classes(alike) : ''}`];
  });
  const unsaved = devices.filter((device) => device.unsaved).length;
  return parts.join(', ') + (unsaved > 0 ? `; ${unsaved} unsaved` : '');
}

/** `18 ok (2 changed), 1 failed (timeout), 1 not backed up`, and devices that are not done. */
export function tallyOfRun(devices: readonly RunDevice[]): string {
  const number = (wanted: (device: RunDevice) => boolean) => devices.filter(wanted).length;
  const changed = number(({ result }) => result === 'changed');
  const ok = changed + number(({ result }) => result === 'unchanged');
  const failed = devices.filter(({ result }) => result === 'failed');
  const part = (count: number, words: string) => (count > 0 ? [`${count} ${words}`] : []);
  return [
    ...part(ok, changed > 0 ? `ok (${changed} changed)` : 'ok'),
    ...part(failed.length, `failed${classes(failed)}`),
    ...part(
      number(({ result }) => result === 'not-backed-up'),
      'not backed up',
    ),
    ...part(
      number(({ state }) => state === 'reading'),
      'being read',
    ),
    ...part(
      number(({ state }) => state === 'waiting'),
      'waiting',
    ),
  ].join(', ');
}

/** ` (timeout)`; of several ` (2 timeout, 1 auth)`. */
function classes(failed: readonly { failure?: FailureClass | undefined }[]): string {
  const counts = new Map<string, number>();
  for (const { failure } of failed) {
    if (failure !== undefined) counts.set(failure, (counts.get(failure) ?? 0) + 1);
  }
  const known = [...counts].toSorted(([, a], [, b]) => b - a);
  if (known.length <= 1) return known.map(([failure]) => ` (${failure})`).join('');
  return ` (${known.map(([failure, number]) => `${number} ${failure}`).join(', ')})`;
}

export function isOk({ result }: RunDevice): boolean {
  return result === 'changed' || result === 'unchanged';
}

/** The result, or the state while it is not done. */
export function resultText({ state, result, failure }: RunDevice): string {
  if (result === undefined) return state;
  const word = result.replaceAll('-', ' ');
  return failure === undefined ? word : `${word} (${failure})`;
}

export function resultStyle({ result, state }: RunDevice): Style | undefined {
  switch (result) {
    case 'changed':
    case 'unchanged':
      return 'green';
    case 'failed':
      return 'red';
    case 'not-backed-up':
      return 'dim';
    default:
      return state === 'waiting' ? 'dim' : undefined;
  }
}

export function isOver({ finishedAt }: BackupRun): boolean {
  return finishedAt !== undefined;
}

/** Lost versions of a device, and by name those in no copy. */
export function lostLines({ device, versions, newest, unsent }: LostHistory): string[] {
  const what = versions === undefined ? 'its versions' : count(versions, 'version');
  const last = newest === undefined ? '' : `, the newest ${nameOf(newest)}`;
  return [
    `${device}: the history has lost ${what}${last}`,
    ...unsent.map((version) => `${device}: no copy has version ${nameOf(version)}`),
  ];
}

function nameOf({ id, time }: { id: string; time: string }): string {
  return `${shortVersionId(id)} of ${timestamp(time)}`;
}

/** A unique beginning of a commit id, or of the name of an object off site. */
export function shortVersionId(id: string): string {
  const object = /^(\d{4}-\d\d-\d\d-.+-[0-9a-f]{12})[0-9a-f]{28}\.gz(?:\.age)?$/.exec(id);
  if (object?.[1] !== undefined) return object[1];
  return /^[0-9a-f]{40,64}$/.test(id) ? id.slice(0, 12) : id;
}
