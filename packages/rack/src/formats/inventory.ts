/** The expanded rack: single names, all defaults. It is a valid rack.yaml of the same rack. */

import type { AccountCredentials, SourceCredentials } from '@skolo/base/secrets';
import { models } from '@skolo/equipment/models';
import { withoutInferred } from '../draft/infer-uplinks.ts';
import type { AttachedDevice, Equipment, Json, Machine, Rack } from '../rack/rack.ts';
import { escaped, spreadOf } from '../ranges/spreading.ts';
import { equipmentEntry } from '../schema/equipment-schema.ts';
import { machineSchema } from '../schema/machine-schema.ts';
import { formatOutlet, formatUsbPort, type Outlet } from '../schema/outlets.ts';

/** For `skolo inventory list`. */
export function expandedInventory(rack: Rack): Json {
  const written = {
    rack: rack.name,
    timezone: rack.timezone,
    acts: rack.acts,
    network: rack.network,
    jumphost: wired(rack.jumphost),
    identities: writtenMap(rack.identities, ({ name: _, credentials, ...identity }) => ({
      ...identity,
      credentials: writtenCredentials(credentials),
    })),
    defaultIdentity: rack.defaultIdentity,
    alertmanager: rack.alertmanager,
    access: rack.access,
    secrets: rack.secrets,
    logins: writtenMap(rack.logins, ({ name: _, ...login }) => login),
    equipment: writtenMap(rack.equipment, writtenEquipment),
    machines: writtenMap(rack.machines, writtenMachine),
    services: rack.services,
  };
  // Without undefined values.
  return JSON.parse(JSON.stringify(written));
}

function writtenMap<T>(
  entries: ReadonlyMap<string, T>,
  write: (entry: T) => unknown,
): object | undefined {
  if (entries.size === 0) return undefined;
  return Object.fromEntries([...entries].map(([name, entry]) => [name, write(entry)]));
}

interface Wired {
  power: Outlet[];
  uplink?: Outlet | 'internet';
}

/** Outlets as text; no empty `power`. */
function wired<T extends Wired>({ power, uplink, ...rest }: T): object {
  return {
    ...rest,
    ...(uplink !== undefined && { uplink: uplink === 'internet' ? uplink : formatOutlet(uplink) }),
    ...(power.length > 0 && { power: power.map(formatOutlet) }),
  };
}

const machineSpread = spreadOf(machineSchema);

function writtenMachine(expanded: Machine): unknown {
  const { name: _, devices, ...machine } = withoutInferred(expanded);
  const entry = {
    ...wired(machine),
    ...(devices.length > 0 && { devices: devices.map(writtenDevice) }),
  };
  return escaped(entry, machineSpread);
}

function writtenDevice({ fullName: _, power, ...attached }: AttachedDevice): object {
  if (power === undefined) return attached;
  return { ...attached, power: 'hub' in power ? formatUsbPort(power) : formatOutlet(power) };
}

function writtenEquipment({ name: _, options, ...equipment }: Equipment): unknown {
  const model = models.get(equipment.model);
  return escaped({ ...wired(equipment), ...options }, model && spreadOf(equipmentEntry(model)));
}

function writtenCredentials(credentials: AccountCredentials): object {
  if (credentials.kind !== 'impersonate') return writtenSource(credentials);
  const { kind: _, email, from, ...rest } = credentials;
  return { impersonate: email, from: writtenSource(from), ...rest };
}

function writtenSource({ kind, file, ...rest }: SourceCredentials): object {
  return { [kind]: file, ...rest };
}
