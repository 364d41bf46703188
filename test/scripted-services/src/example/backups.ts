/** The state of the example's router backup. */
import {
  BackupEquipment,
  BackupRun,
  BackupVersion,
  LostHistory,
  OffsiteStatus,
  RunEquipment,
} from '@skolo/api';
import { z } from 'zod';
import type { BackupWorld, Version } from '../router-backup.ts';
import { connectedHostsOf } from './connected-hosts.ts';
import { load } from './load.ts';

const data = load(
  'backups.yaml',
  z.object({
    equipment: z.array(BackupEquipment),
    offsite: z.array(OffsiteStatus),
    versions: z.array(z.object({ version: BackupVersion, content: z.string() })),
    results: z.array(RunEquipment),
    runs: z.array(BackupRun),
    lost: z.array(LostHistory),
  }),
);

/** Newest first. */
export function versionsOf(device: string): Version[] {
  return data().versions.filter(({ version }) => version.equipment === device);
}

/** The result of each, whenever it is read. */
export function resultOf(device: string): RunEquipment {
  const found = data().results.find((each) => each.equipment === device);
  return (
    found ?? {
      equipment: device,
      state: 'done',
      result: 'unchanged',
      size: 52_300_000,
      seconds: 12,
    }
  );
}

export const exampleBackups: BackupWorld = {
  equipment: () => data().equipment,
  offsite: () => data().offsite,
  versionsOf,
  masked: (text) => text.replaceAll('$6$s3same', '<secret 5e1f00>'),
  pastRuns: () => data().runs,
  resultOf,
  lost: () => data().lost,
  connectedHostsOf,
};
