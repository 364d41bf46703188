/** The state of the example's router backup. */
import {
  BackupDevice,
  BackupRun,
  BackupVersion,
  LostHistory,
  OffsiteStatus,
  RunDevice,
} from '@skolo/api';
import { z } from 'zod';
import type { BackupWorld, Version } from '../worlds.ts';
import { connectedHostsOf } from './connected-hosts.ts';
import { load } from './load.ts';

const data = load(
  'backups.yaml',
  z.object({
    devices: z.array(BackupDevice),
    offsite: z.array(OffsiteStatus),
    versions: z.array(z.object({ version: BackupVersion, content: z.string() })),
    results: z.array(RunDevice),
    runs: z.array(BackupRun),
    lost: z.array(LostHistory),
  }),
);

/** Newest first. */
export function versionsOf(device: string): Version[] {
  return data().versions.filter(({ version }) => version.device === device);
}

/** The result of each, whenever it is read. */
export function resultOf(device: string): RunDevice {
  const found = data().results.find((each) => each.device === device);
  return found ?? { device, state: 'done', result: 'unchanged', size: 52_300_000, seconds: 12 };
}

export const exampleBackups: BackupWorld = {
  devices: () => data().devices,
  offsite: () => data().offsite,
  versionsOf,
  masked: (text) => text.replaceAll('$6$s3same', '<secret 5e1f00>'),
  pastRuns: () => data().runs,
  resultOf,
  lost: () => data().lost,
  connectedHostsOf,
};
