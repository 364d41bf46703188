/** The status of each device, as the API returns it. */
import type { BackupDevice } from '@skolo/api';
import type { LastSuccess } from '@skolo/common';
import type { Base } from '../base.ts';
import type { Versions } from '../history/versions.ts';
import type { Uploads } from '../offsite/copies.ts';
import type { Transcripts } from '../read/transcript.ts';
import type { Inventory } from '../runs/inventory.ts';
import type { Runs } from '../runs/runs.ts';
import type { DeviceRecord, State } from '../state.ts';
import { type Target, targetOf, targetsOf } from '../targets.ts';

/** What the status of a device consists of. */
export interface StatusSources extends Pick<Base, 'rack' | 'clock'> {
  state: State;
  runs: Runs;
  versions: Versions;
  transcripts: Transcripts;
  lastSuccess: Pick<LastSuccess, 'get'>;
  inventory: Pick<Inventory, 'problem'>;
  uploads: Pick<Uploads, 'stateOf'>;
}

/** In the order of rack.yaml, retired ones last. */
export async function statusOfAll(sources: StatusSources): Promise<BackupDevice[]> {
  const targets = targetsOf(sources.rack());
  const listed = new Set(targets.map(({ name }) => name));
  const retired = [...sources.state.devices.all.values()].filter(({ name }) => !listed.has(name));
  return await Promise.all([
    ...targets.map((target) => statusOfTarget(sources, target)),
    ...retired.map((record) => statusOfRetired(sources, record)),
  ]);
}

/** Undefined: neither in rack.yaml nor in the history. */
export async function statusOf(
  sources: StatusSources,
  name: string,
): Promise<BackupDevice | undefined> {
  const target = targetOf(sources.rack(), name);
  if (target !== undefined) return await statusOfTarget(sources, target);
  const record = sources.state.devices.get(name);
  return record && (await statusOfRetired(sources, record));
}

/** When it was last read completely, by the wall clock of now. */
export function lastSuccessOf(sources: Pick<StatusSources, 'lastSuccess' | 'state'>, name: string) {
  const known = sources.lastSuccess.get(name);
  if (known !== undefined) return known;
  const record = sources.state.devices.get(name)?.lastSuccess;
  return record === undefined ? undefined : Date.parse(record);
}

function isOverdue(sources: StatusSources, name: string) {
  const last = lastSuccessOf(sources, name);
  const { overdueHours } = sources.rack().services['router-backup'];
  return last !== undefined && sources.clock.now() - last > overdueHours * 3_600_000;
}

async function statusOfTarget(
  sources: StatusSources,
  { name, model, why }: Target,
): Promise<BackupDevice> {
  const record = sources.state.devices.get(name);
  const status = await common(sources, name, record);
  if (why !== undefined) return { ...status, model, state: 'not-backed-up', why };
  const isKnown = status.lastSuccess !== undefined || record?.failure !== undefined;
  const state = isOverdue(sources, name) ? 'overdue' : record?.failure ? 'failed' : 'ok';
  return { ...status, model, state: isKnown ? state : 'never' };
}

async function statusOfRetired(
  sources: StatusSources,
  record: DeviceRecord,
): Promise<BackupDevice> {
  const status = await common(sources, record.name, record);
  const { model, retiredAt } = record;
  if (retiredAt === undefined) {
    const why = sources.inventory.problem ?? 'it has left rack.yaml';
    return { ...status, model, state: 'not-backed-up', why };
  }
  return { ...status, model, state: 'retired', retiredAt };
}

async function common(
  sources: StatusSources,
  name: string,
  record: DeviceRecord | undefined,
): Promise<Omit<BackupDevice, 'state'>> {
  const { versions, transcripts, runs } = sources;
  const [newest, count, hasTranscript] = await Promise.all([
    versions.newest(name).catch(() => undefined),
    versions.count(name).catch(() => 0),
    record?.failure === undefined ? false : transcripts.has(name),
  ]);
  const last = lastSuccessOf(sources, name);
  const { lastAttempt, failure, detail, failures, unsaved } = record ?? {};
  const { startup, legacyAlgorithms } = record ?? {};
  return {
    name,
    versions: count,
    reading: runs.isReading(name),
    offsite: sources.uploads.stateOf(newest),
    lastSuccess: last === undefined ? undefined : new Date(last).toISOString(),
    lastAttempt,
    failure,
    detail: failure && detail,
    failures: failures || undefined,
    hasTranscript: hasTranscript || undefined,
    version: newest?.id,
    changedAt: newest?.time,
    size: newest?.size,
    unsaved,
    startup,
    legacyAlgorithms,
  };
}
