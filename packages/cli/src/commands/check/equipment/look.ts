/** Reads all equipment of a rack in parallel, and compares the combined reports with rack.yaml. Changes nothing. */
import { join } from 'node:path';
import { closing, type Finding, inParallel, tempFolder } from '@skolo/base';
import { loadBackups, loadDrivers } from '@skolo/equipment/models/load';
import { HostKeys, SessionPool } from '@skolo/equipment/transports';
import type { Rack } from '@skolo/rack';
import { compare, withEdits } from '../cabling/compare.ts';
import { notUnderstood } from '../cabling/readings.ts';
import { Seen } from '../cabling/seen.ts';
import { type JumphostDeps, type JumphostLook, lookAtJumphost } from './jumphost.ts';
import { type EquipmentLook, lookAtEquipment } from './look-at-equipment.ts';
import { linkedButOff } from './outlets.ts';
import type { LookDeps } from './readers.ts';

interface RackLook {
  /** In the order of rack.yaml. */
  equipment: EquipmentLook[];
  /** Findings from MAC tables and addresses, as in `skolo check cabling`. */
  cabling: Finding[];
  /** Absent if it was not requested. */
  jumphost?: JumphostLook;
}

const atOnce = 20;

export async function lookAtRack(
  rack: Rack,
  options: Pick<LookDeps, 'pauseMs' | 'timeoutMs' | 'signal' | 'dry' | 'isRecording' | 'readRef'>,
  jumphost?: Pick<JumphostDeps, 'target' | 'env' | 'now'>,
): Promise<RackLook> {
  // Host keys of this run only; known keys are pinned in rack.yaml.
  await using temp = await tempFolder('skolo-look-');
  const scratch = temp.path;
  const hostKeys = new HostKeys(join(scratch, 'host-keys.json'));
  await using sessions = closing(new SessionPool());
  const [drivers, backups] = await Promise.all([loadDrivers(), loadBackups()]);
  const all: LookDeps = { rack, sessions, hostKeys, scratch, drivers, backups, ...options };
  const each = [...rack.equipment.values()];
  const [equipment, own] = await Promise.all([
    inParallel(each, atOnce, (item) => lookAtEquipment(item, all)),
    jumphost && lookAtJumphost({ rack, ...options, ...jumphost }),
  ]);
  return { equipment, cabling: together(rack, equipment), ...(own && { jumphost: own }) };
}

/** Findings that require several devices. */
function together(rack: Rack, equipment: readonly EquipmentLook[]): Finding[] {
  const readings = equipment.flatMap(({ hosts }) => hosts ?? []);
  const lookAt = (name: string) => equipment.find((item) => item.equipment === name);
  const linked = linkedButOff(
    rack,
    new Seen(rack, readings),
    ({ device, outlet }) => lookAt(device)?.outlets.at(-1)?.[outlet]?.state === 'off',
  );
  for (const { device, part, found } of linked) {
    const thing = `${device} ${part}`;
    lookAt(device)?.problems.push({ kind: 'link', thing, state: 'differs', found });
  }
  const findings = readings.length === 0 ? [] : compare(rack, readings).findings;
  return [...findings.map((each) => withEdits(each)), ...readings.flatMap(notUnderstood)];
}
