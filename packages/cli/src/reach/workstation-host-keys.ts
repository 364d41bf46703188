import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { HostKeys } from '@skolo/equipment/transports';
import type { Io } from '../io.ts';
import { userFolder } from '../workstation/workstation-files.ts';

/** Decides which ssh host keys of equipment this workstation trusts: those that it has seen before. rack.yaml may pin others. */
export async function workstationHostKeys(io: Io, rack: string): Promise<HostKeys> {
  const keys = new HostKeys(join(await hostKeysFolder(io), `${rack}.json`), io.now);
  await keys.load();
  return keys;
}

export async function hostKeysFolder({ env }: Io): Promise<string> {
  const folder = join(userFolder(env, 'XDG_STATE_HOME'), 'skolo', 'host-keys');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  return folder;
}
