/**
 * Decides which outlets and ports are errors: those that do not exist, are used twice, or one hub switch for two phones; and converts
 * them to the notation of their model (`0/14`, `14`).
 */

import { models } from '@skolo/equipment/models';
import { claims, type Draft, type Report, type Spot, within } from '../draft/draft.ts';
import { didYouMean } from '../issues/suggest.ts';
import type { Equipment, Machine } from '../rack/rack.ts';
import { builtInHubs } from '../rack/uhubctl.ts';
import { formatUsbPort, type Outlet } from '../schema/outlets.ts';

type Use = 'power' | 'uplink';

interface User {
  name: string;
  use: Use;
  spot: Spot;
}

export function checkOutlets(draft: Draft, report: Report): void {
  const { rack } = draft;
  const conflictOf = claims<User>(
    (user, other) => other.use === user.use || other.name !== user.name,
  );

  function claimOutlet(outlet: Outlet, user: User): void {
    const { spot } = user;
    if (!find(outlet, user.use, spot, draft, report) || outlet.outlet === '') return;
    const key = `${outlet.device}/${outlet.outlet}`;
    const conflict = conflictOf(key, user);
    if (conflict === undefined) return;
    const does = conflict.use === 'power' ? 'already powers' : 'is already the uplink of';
    const message = `"${key}" ${does} ${conflict.name}`;
    report(spot, 'outlet twice', message, undefined, { other: conflict.spot });
  }

  function claimOutletsOf(entry: {
    name: string;
    power: Outlet[];
    uplink?: Outlet | 'internet';
  }): void {
    entry.power.forEach((outlet, i) => {
      const spot = () => within(draft, entry, 'power', i);
      claimOutlet(outlet, { name: entry.name, use: 'power', spot });
    });
    if (entry.uplink === undefined || entry.uplink === 'internet') return;
    const spot = () => within(draft, entry, 'uplink');
    claimOutlet(entry.uplink, { name: entry.name, use: 'uplink', spot });
  }

  if (rack.jumphost) claimOutletsOf(rack.jumphost);
  for (const equipment of rack.equipment.values()) claimOutletsOf(equipment);
  for (const machine of rack.machines.values()) {
    claimOutletsOf(machine);
    for (const device of machine.devices) {
      const { power, fullName: name } = device;
      if (power === undefined || 'hub' in power) continue;
      claimOutlet(power, { name, use: 'power', spot: () => within(draft, device, 'power') });
    }
    checkHub(machine, draft, report);
  }
}

/** Checks that each port of a machine's hub feeds one device. */
function checkHub({ kind, devices }: Machine, draft: Draft, report: Report): void {
  const firstOf = claims<string>();
  for (const device of devices) {
    const { power, name } = device;
    if (power === undefined || 'device' in power) continue;
    const port = formatUsbPort(power);
    const other = firstOf(port, name);
    const isNetwork = kind === 'rpi' && power.hub === '1-1' && power.port === 1;
    const message = isNetwork
      ? `"${port}" is not supported, because it is the network card on a Raspberry Pi 2 or 3; plug the phone into another port`
      : `"${port}" already powers ${other}`;
    if (isNetwork || other !== undefined) {
      report(within(draft, device, 'power'), 'outlet twice', message);
    }
  }
  if (kind === 'rpi') checkBuiltInHub(devices, draft, report);
}

/** Checks that a Raspberry Pi, which has one switch for all of its ports, has only one phone or verified ports. */
function checkBuiltInHub(devices: Machine['devices'], draft: Draft, report: Report): void {
  const ports = new Map(
    devices.flatMap((device) =>
      device.power !== undefined && 'hub' in device.power && builtInHubs.has(device.power.hub)
        ? [[formatUsbPort(device.power), device] as const]
        : [],
    ),
  );
  const [first, ...others] = [...ports.values()].filter(({ powerVerified }) => !powerVerified);
  const device = others[0] ?? first;
  if (device === undefined || ports.size < 2) return;
  const message =
    'cannot be switched separately: a Raspberry Pi switches all its USB ports together, and another phone also has `power`; remove `power` from one of the phones, use a hub that switches each port separately, or verify the port (see `powerVerified`)';
  report(within(draft, device, 'power'), 'usb port', message);
}

/** Converts the outlet to the notation of its model. False after a reported error. */
function find(outlet: Outlet, use: Use, spot: Spot, draft: Draft, report: Report): boolean {
  const { device: name, outlet: written } = outlet;
  const equipment = draft.rack.equipment.get(name);
  if (equipment === undefined) {
    if (!draft.declared.equipment.has(name)) {
      report(spot, 'outlet', unknownEquipment(name, draft), undefined, {
        missing: { section: 'equipment', name },
      });
    }
    return false;
  }
  const found = outletOf(equipment, written, use);
  if ('problem' in found) {
    report(spot, 'outlet', found.problem);
    return false;
  }
  outlet.outlet = found.outlet;
  return true;
}

/** The outlet in the notation of its model, or why the device does not have it. */
export function outletOf(
  equipment: Equipment,
  written: string,
  use: Use,
): { outlet: string } | { problem: string } {
  const { name, options } = equipment;
  const model = models.get(equipment.model);
  const label = `${name} (${model?.label})`;
  const numbering = use === 'power' ? model?.power?.outlets : model?.network;
  if (numbering === undefined) {
    const why = use === 'power' ? 'has no outlets that can be switched' : 'has no network ports';
    return { problem: `${label} ${why}` };
  }
  if (written === '' && use === 'uplink') return { outlet: '' };
  const outlet = written === '' ? numbering.only?.(options) : numbering.find(written, options);
  if (outlet !== undefined) return { outlet };
  const { noun } = numbering;
  const range = numbering.range(options);
  return written === ''
    ? { problem: `"${name}" does not specify the ${noun}; ${name} has ${range}` }
    : { problem: `${label} has no ${noun} "${written}"; it has ${range}` };
}

function unknownEquipment(name: string, { rack, declared }: Draft): string {
  if (declared.machines.has(name)) return `"${name}" is a machine and has no outlets or ports`;
  if (rack.jumphost?.name === name) return `"${name}" is the jumphost and has no outlets or ports`;
  return `"${name}" is not in equipment${didYouMean(name, declared.equipment)}`;
}
