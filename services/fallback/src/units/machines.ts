/**
 * Lets the k3s agents of rack.yaml through the jumphost's firewall, including those of machines that were added after `skolo jumphost
 * prepare`.
 */
import { readFileIfExists, writeFileAtomic } from '@skolo/base/durable/atomic-file';
import { readRack } from '@skolo/rack';
import { firewallMachines, firewallUnit, machinesFile } from '@skolo/rack/jumphost';
import { metadataServer, rackFileOf } from './services.ts';
import { changeUnit } from './units.ts';

/** True when they were others. Without the file this jumphost has another firewall, or none. */
export async function renewMachines(): Promise<boolean> {
  const before = await readFileIfExists(machinesFile);
  if (before === undefined) return false;
  const rack = await readRack(rackFileOf(metadataServer));
  const { subnet } = rack.network;
  const machines = subnet === undefined ? before : firewallMachines(rack, subnet);
  if (machines === before) return false;
  await writeFileAtomic(machinesFile, machines, { mode: 0o644 });
  await changeUnit('try-reload-or-restart', firewallUnit);
  return true;
}
