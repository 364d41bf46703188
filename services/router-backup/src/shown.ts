/** What is known of the devices, as the API shows it. */
import type { BackupDevice } from '@skolo/api';
import type { Version } from '@skolo/backup';
import type { Clock, LastSuccess } from '@skolo/common';
import type { Rack } from '@skolo/rack';
import type { DeviceRecord } from './records.ts';
import type { Runs } from './runs.ts';
import type { State } from './state.ts';
import { type Target, targetsOf } from './targets.ts';
import type { Transcripts } from './transcript.ts';
import type { Versions } from './versions.ts';

export interface View {
  rack: () => Rack;
  state: State;
  runs: Runs;
  versions: Versions;
  transcripts: Transcripts;
  lastSuccess: Pick<LastSuccess, 'get'>;
  clock: Clock;
  /** Why rack.yaml cannot be meant like that; undefined: it can. */
  inventoryProblem(): string | undefined;
  /** Whether the newest version has left the rack. */
  offsite(device: string, version: Version | undefined): BackupDevice['offsite'];
}

/** In the order of rack.yaml, retired ones last. */
export async function shownDevices(view: View): Promise<BackupDevice[]> {
  const targets = targetsOf(view.rack());
  const listed = new Set(targets.map(({ name }) => name));
  const retired = [...view.state.devices.all.values()].filter(({ name }) => !listed.has(name));
  return await Promise.all([
    ...targets.map((target) => shownDevice(view, target)),
    ...retired.map((record) => shownRetired(view, record)),
  ]);
}

/** Undefined: neither in rack.yaml nor in the history. */
export async function findShown(view: View, name: string): Promise<BackupDevice | undefined> {
  const target = targetsOf(view.rack()).find((each) => each.name === name);
  if (target !== undefined) return await shownDevice(view, target);
  const record = view.state.devices.get(name);
  return record && (await shownRetired(view, record));
}

/** The last time that it was read completely, by the wall clock of now. */
export function lastSuccessOf(view: Pick<View, 'lastSuccess' | 'state'>, name: string) {
  const known = view.lastSuccess.get(name);
  if (known !== undefined) return known;
  const record = view.state.devices.get(name)?.lastSuccess;
  return record === undefined ? undefined : Date.parse(record);
}

export function isOverdue(
  view: Pick<View, 'lastSuccess' | 'state' | 'rack' | 'clock'>,
  name: string,
) {
  const last = lastSuccessOf(view, name);
  const { overdueHours } = view.rack().services['router-backup'];
  return last !== undefined && view.clock.now() - last > overdueHours * 3_600_000;
}

async function shownDevice(view: View, { name, model, why }: Target): Promise<BackupDevice> {
  const record = view.state.devices.get(name);
  const shown = await common(view, name, record);
  if (why !== undefined) return { ...shown, model, state: 'not-backed-up', why };
  const state = isOverdue(view, name) ? 'overdue' : record?.failure ? 'failed' : 'ok';
  return { ...shown, model, state: shown.lastSuccess || record?.failure ? state : 'never' };
}

async function shownRetired(view: View, record: DeviceRecord): Promise<BackupDevice> {
  const shown = await common(view, record.name, record);
  const { model, retiredAt } = record;
  if (retiredAt === undefined) {
    const why = view.inventoryProblem() ?? 'it has left rack.yaml';
    return { ...shown, model, state: 'not-backed-up', why };
  }
  return { ...shown, model, state: 'retired', retiredAt };
}

async function common(
  view: View,
  name: string,
  record: DeviceRecord | undefined,
): Promise<Omit<BackupDevice, 'state'>> {
  const { versions, transcripts, runs } = view;
  const [newest, count, hasTranscript] = await Promise.all([
    versions.newest(name).catch(() => undefined),
    versions.count(name).catch(() => 0),
    record?.failure === undefined ? false : transcripts.has(name),
  ]);
  const last = lastSuccessOf(view, name);
  const { lastAttempt, failure, detail, failures = 0, unsaved } = record ?? {};
  const { startup, legacyAlgorithms } = record ?? {};
  return {
    name,
    versions: count,
    reading: runs.isReading(name),
    offsite: view.offsite(name, newest),
    ...(last !== undefined && { lastSuccess: new Date(last).toISOString() }),
    ...(lastAttempt !== undefined && { lastAttempt }),
    ...(failure && { failure }),
    ...(failure && detail !== undefined && { detail }),
    ...(failures > 0 && { failures }),
    ...(hasTranscript && { hasTranscript }),
    ...(newest && { version: newest.id, changedAt: newest.time }),
    ...(newest?.size !== undefined && { size: newest.size }),
    ...(unsaved !== undefined && { unsaved }),
    ...(startup !== undefined && { startup }),
    ...(legacyAlgorithms && { legacyAlgorithms }),
  };
}
