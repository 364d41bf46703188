/** Queries about the wiring of a rack. */
import {
  type AttachedDevice,
  dependsOn,
  type Equipment,
  feedOf,
  formatOutlet,
  formatUsbPort,
  goesDark,
  type Identity,
  type Jumphost,
  type Machine,
  type Outlet,
  type Rack,
  type UsbPort,
} from '@skolo/rack';

export type Subject =
  | { is: 'machine'; name: string; machine: Machine }
  | { is: 'equipment'; name: string; equipment: Equipment }
  | { is: 'jumphost'; name: string; jumphost: Jumphost }
  | { is: 'phone'; name: string; phone: AttachedDevice; machine: Machine }
  | { is: 'outlet'; name: string; outlet: Outlet }
  | { is: 'identity'; name: string; identity: Identity };

/** An entry that is plugged into an outlet or port. */
export interface Plugged {
  outlet: Outlet;
  name: string;
  use: 'power' | 'network';
  /** Other feeds of the same entry. */
  otherFeeds: Outlet[];
}

/** In the order of rack.yaml. */
export function allPlugged(rack: Rack): Plugged[] {
  const entries = [rack.jumphost, ...rack.equipment.values(), ...rack.machines.values()];
  const ofEntries = entries.flatMap(({ name, power, uplink }) => [
    ...power.map((outlet): Plugged => {
      return { outlet, name, use: 'power', otherFeeds: power.filter((other) => other !== outlet) };
    }),
    ...(uplink === undefined || uplink === 'internet'
      ? []
      : [{ outlet: uplink, name, use: 'network' as const, otherFeeds: [] }]),
  ]);
  const ofPhones = [...rack.machines.values()].flatMap((machine) =>
    machine.devices.flatMap((device): Plugged[] => {
      const outlet = feedOf(machine.name, device);
      if (outlet === undefined) return [];
      return [{ outlet, name: device.fullName, use: 'power', otherFeeds: [] }];
    }),
  );
  return [...ofEntries, ...ofPhones];
}

/** Devices and outlets that it depends on, nearest first. */
export function needsOf(rack: Rack, subject: Subject): string[] {
  if (subject.is === 'identity') return [];
  if (subject.is !== 'outlet') return dependsOn(rack, subject.name);
  const { device } = subject.outlet;
  return [device, ...dependsOn(rack, device)];
}

/** Names that lose power or network if it is off, except itself. */
export function darkWithout(rack: Rack, subject: Subject): string[] {
  if (subject.is === 'identity') return [];
  if (subject.is === 'outlet') return goesDark(rack, subject.outlet);
  const cut = { device: `feed of ${subject.name}`, outlet: '' };
  return goesDark(fedOnlyBy(rack, subject, cut), cut).filter((name) => name !== subject.name);
}

/** The rack with all feeds of an entry replaced by an outlet of an unknown device. */
function fedOnlyBy(
  rack: Rack,
  subject: Exclude<Subject, { is: 'outlet' | 'identity' }>,
  feed: Outlet,
): Rack {
  const power = [feed];
  switch (subject.is) {
    case 'jumphost':
      return { ...rack, jumphost: { ...subject.jumphost, power } };
    case 'equipment': {
      const equipment = { ...subject.equipment, power };
      return { ...rack, equipment: new Map(rack.equipment).set(equipment.name, equipment) };
    }
    case 'machine': {
      const machine = { ...subject.machine, power };
      return { ...rack, machines: new Map(rack.machines).set(machine.name, machine) };
    }
    case 'phone':
      return rack;
  }
}

/** As in rack.yaml. */
export function outletText(outlet: Outlet | UsbPort | 'internet'): string {
  if (outlet === 'internet') return outlet;
  return 'hub' in outlet ? formatUsbPort(outlet) : formatOutlet(outlet);
}

/** A hub port of a machine as an outlet: `rpi-001/usb/1-1.2`. */
export function hubOutlet(machine: string, port: UsbPort): Outlet {
  return { device: machine, outlet: formatUsbPort(port) };
}

/** `android`, or `left:android` for a named phone. */
export function phoneText({ name, kind }: AttachedDevice): string {
  return name === 'device' ? kind : `${name}:${kind}`;
}
