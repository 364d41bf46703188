/** Decides the state of each backup: `ok`, `overdue`, `failed`, `never`, `retired`. */

import type { BackupEquipment } from '@skolo/api';
import { shownId } from '@skolo/backup';
import type { LastSuccess } from '@skolo/common';
import { partOf } from '@skolo/equipment/models/configuration';
import type { Versions } from '../history/versions.ts';
import type { OffsiteCopies } from '../offsite/copies.ts';
import type { PartDeps } from '../part-deps.ts';
import type { Transcripts } from '../read/transcript.ts';
import type { Inventory } from '../runs/inventory.ts';
import type { Runs } from '../runs/runs.ts';
import type { DeviceRecord } from '../state.ts';
import { type Target, targetOf, targetsOf } from '../targets.ts';

/** What a device's status consists of. */
export interface StatusSources extends Pick<PartDeps, 'rack' | 'clock' | 'state'> {
  runs: Runs;
  versions: Versions;
  transcripts: Transcripts;
  lastSuccess: Pick<LastSuccess, 'get'>;
  inventory: Pick<Inventory, 'problem'>;
  copies: Pick<OffsiteCopies, 'stateOf'>;
}

/** In the order of rack.yaml, retired ones last. */
export async function statusOfAll(sources: StatusSources): Promise<BackupEquipment[]> {
  const targets = targetsOf(sources.rack());
  const listed = new Set(targets.map(({ name }) => name));
  const left = [...sources.state.devices.all.keys()].filter((name) => !listed.has(name));
  return await Promise.all([
    ...targets.map((target) => statusOfDevice(sources, target.name, target)),
    ...left.map((name) => statusOfDevice(sources, name)),
  ]);
}

/** Undefined: neither in rack.yaml nor in the history. */
export async function statusOf(
  sources: StatusSources,
  name: string,
): Promise<BackupEquipment | undefined> {
  const target = targetOf(sources.rack(), name);
  if (target === undefined && !sources.state.devices.all.has(name)) return undefined;
  return await statusOfDevice(sources, name, target);
}

/** When it was last read completely, by the current wall clock. */
export function lastSuccessOf(sources: Pick<StatusSources, 'lastSuccess' | 'state'>, name: string) {
  const known = sources.lastSuccess.get(name);
  if (known !== undefined) return known;
  const record = sources.state.devices.get(name)?.lastSuccess;
  return record === undefined ? undefined : Date.parse(record);
}

/** @param target absent: it is no longer in rack.yaml */
async function statusOfDevice(
  sources: StatusSources,
  name: string,
  target?: Target,
): Promise<BackupEquipment> {
  const { versions, transcripts, runs, copies } = sources;
  const record = sources.state.devices.get(name);
  const { failure, detail, failures } = record ?? {};
  const [newest, count, hasTranscript] = await Promise.all([
    versions.newest(name).catch(() => undefined),
    versions.count(name).catch(() => undefined),
    failure === undefined ? false : transcripts.has(name),
  ]);
  const last = lastSuccessOf(sources, name);
  return {
    name,
    model: target?.model ?? record?.model,
    ...stateOf(sources, { last, record, target }),
    versions: count,
    reading: runs.isReading(name),
    offsite: copies.stateOf(newest),
    lastSuccess: last === undefined ? undefined : new Date(last).toISOString(),
    lastAttempt: record?.lastAttempt,
    failure,
    detail: failure && detail,
    failures: failures || undefined,
    hasTranscript: hasTranscript || undefined,
    version: newest && shownId(newest),
    changedAt: newest?.time,
    size: newest?.shownSize,
    unsaved: record?.unsaved,
    startup: record?.startup,
    partial: partOf(record?.extent),
    unseen: record?.unseen,
    doubt: record?.doubt,
    legacyAlgorithms: record?.legacyAlgorithms,
  };
}

interface Known {
  last: number | undefined;
  record: DeviceRecord | undefined;
  target: Target | undefined;
}

/** The one verdict about a device's backup. */
export function stateOf(
  { rack, clock, inventory }: Pick<StatusSources, 'rack' | 'clock' | 'inventory'>,
  { last, record, target }: Known,
): Pick<BackupEquipment, 'state' | 'why' | 'retiredAt'> {
  const retiredAt = record?.retiredAt;
  if (target === undefined) {
    if (retiredAt !== undefined) return { state: 'retired', retiredAt };
    return { state: 'not-backed-up', why: inventory.problem ?? 'no longer in rack.yaml' };
  }
  if (target.why !== undefined) return { state: 'not-backed-up', why: target.why };
  if (last === undefined) return { state: 'never' };
  const { overdueHours } = rack().services['router-backup'];
  const [limit, ago] = [overdueHours * 3600, (clock.now() - last) / 1000];
  // A run that was missed during a pause is made up for afterwards.
  const isOverdue = clock.presence.ageOf(clock.uptime() - ago, limit) > limit;
  return { state: isOverdue ? 'overdue' : record?.failure ? 'failed' : 'ok' };
}
