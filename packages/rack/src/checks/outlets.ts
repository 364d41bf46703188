/**
 * Outlets and ports exist and are used once. They are written in many ways (`0/14`, `14`): here each becomes the one
 * way of its model.
 */
import { type Draft, type Report, type Spot, within } from '../draft.ts';
import { models } from '../models/index.ts';
import type { Outlet } from '../rack.ts';
import { didYouMean } from '../suggest.ts';

type Use = 'power' | 'uplink';

interface User {
  name: string;
  use: Use;
}

export function checkOutlets(draft: Draft, report: Report): void {
  const { rack } = draft;
  const users = new Map<string, User[]>();

  function take(outlet: Outlet, user: User, spot: Spot): void {
    if (!find(outlet, user.use, spot, draft, report) || outlet.outlet === '') return;
    const key = `${outlet.device}/${outlet.outlet}`;
    const others = users.get(key) ?? [];
    users.set(key, [...others, user]);
    const conflict = others.find((other) => other.use === user.use || other.name !== user.name);
    if (conflict === undefined) return;
    const does = conflict.use === 'power' ? 'feeds' : 'is the uplink of';
    report(spot, 'outlet twice', `"${key}" is used twice: it ${does} ${conflict.name} already`);
  }

  function takeAll(entry: { name: string; power: Outlet[]; uplink?: Outlet | 'internet' }): void {
    entry.power.forEach((outlet, i) => {
      take(outlet, { name: entry.name, use: 'power' }, () => within(draft, entry, 'power', i));
    });
    if (entry.uplink === undefined || entry.uplink === 'internet') return;
    take(entry.uplink, { name: entry.name, use: 'uplink' }, () => within(draft, entry, 'uplink'));
  }

  if (rack.jumphost) takeAll(rack.jumphost);
  for (const device of rack.infrastructure.values()) takeAll(device);
  for (const machine of rack.machines.values()) {
    takeAll(machine);
    const hub = new Map<string, string>();
    for (const device of machine.devices) {
      const { power, name, fullName } = device;
      if (power === undefined) continue;
      const spot = () => within(draft, device, 'power');
      if ('device' in power) {
        take(power, { name: fullName, use: 'power' }, spot);
        continue;
      }
      const key = `usb/${power.hub}.${power.port}`;
      const other = hub.get(key);
      if (other !== undefined)
        report(spot, 'outlet twice', `"${key}" is used twice: it feeds ${other} already`);
      hub.set(key, name);
    }
  }
}

/** Whether the outlet exists; it is then written as its model does. Otherwise the reason has been reported. */
function find(outlet: Outlet, use: Use, spot: Spot, draft: Draft, report: Report): boolean {
  const { device: name, outlet: written } = outlet;
  const device = draft.rack.infrastructure.get(name);
  const model = device && models.get(device.model);
  if (device === undefined || model === undefined) {
    if (!draft.declared.infrastructure.has(name)) {
      report(spot, 'outlet', unknownDevice(name, draft));
    }
    return false;
  }
  const numbering = use === 'power' ? model.power?.outlets : model.network;
  if (numbering === undefined) {
    const why = use === 'power' ? 'cannot turn anything on or off' : 'has no network ports';
    report(spot, 'outlet', `${name} (${model.label}) ${why}`);
    return false;
  }
  if (written === '') {
    if (use === 'uplink') return true;
    const only = numbering.only?.(device.options);
    if (only === undefined) {
      report(
        spot,
        'outlet',
        `"${name}" does not say which ${numbering.noun}; it has ${numbering.range(device.options)}`,
      );
      return false;
    }
    outlet.outlet = only;
    return true;
  }
  const found = numbering.find(written, device.options);
  if (found === undefined) {
    report(
      spot,
      'outlet',
      `${name} (${model.label}) has no ${numbering.noun} "${written}"; it has ${numbering.range(device.options)}`,
    );
    return false;
  }
  outlet.outlet = found;
  return true;
}

function unknownDevice(name: string, { rack, declared }: Draft): string {
  if (declared.machines.has(name)) return `"${name}" is a machine: it has no outlets and no ports`;
  if (rack.jumphost?.name === name)
    return `"${name}" is the jumphost: it has no outlets and no ports`;
  return `there is no "${name}" in infrastructure${didYouMean(name, declared.infrastructure)}`;
}
