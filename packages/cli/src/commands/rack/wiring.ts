/** The wiring of a rack as a person asks about it. */
import {
  type AttachedDevice,
  dependsOn,
  formatOutlet,
  formatUsbPort,
  goesDark,
  type Outlet,
  type Rack,
  type UsbPort,
} from '@skolo/rack';
import type { Subject } from './subjects.ts';

/** What is plugged into an outlet or port. */
export interface Plugged {
  outlet: Outlet;
  name: string;
  use: 'power' | 'network';
  /** Of something with several feeds, the others. */
  otherFeeds: Outlet[];
}

/** All that is plugged in somewhere, in the order of rack.yaml. */
export function allPlugged(rack: Rack): Plugged[] {
  const entries = [rack.jumphost, ...rack.infrastructure.values(), ...rack.machines.values()];
  const ofEntries = entries.flatMap(({ name, power, uplink }) => [
    ...power.map((outlet): Plugged => {
      return { outlet, name, use: 'power', otherFeeds: power.filter((other) => other !== outlet) };
    }),
    ...(uplink === undefined || uplink === 'internet'
      ? []
      : [{ outlet: uplink, name, use: 'network' as const, otherFeeds: [] }]),
  ]);
  const ofPhones = [...rack.machines.values()].flatMap((machine) =>
    machine.devices.flatMap(({ fullName: name, power }): Plugged[] => {
      if (power === undefined) return [];
      const outlet = 'device' in power ? power : hubOutlet(machine.name, power);
      return [{ outlet, name, use: 'power', otherFeeds: [] }];
    }),
  );
  return [...ofEntries, ...ofPhones];
}

/** Every device and outlet that it needs, the nearest first. An identity needs nothing. */
export function needsOf(rack: Rack, subject: Subject): string[] {
  if (subject.is === 'identity') return [];
  if (subject.is !== 'outlet') return dependsOn(rack, subject.name);
  const { device } = subject.outlet;
  return [device, ...dependsOn(rack, device)];
}

/** Who loses power or network when it is off, other than itself. */
export function darkWithout(rack: Rack, subject: Subject): string[] {
  if (subject.is === 'identity') return [];
  if (subject.is === 'outlet') return goesDark(rack, subject.outlet);
  const cut = { device: `feed of ${subject.name}`, outlet: '' };
  return goesDark(fedOnlyBy(rack, subject, cut), cut).filter((name) => name !== subject.name);
}

/** The same rack, with all feeds of one thing replaced by one outlet of a device that is not in it. */
function fedOnlyBy(
  rack: Rack,
  subject: Exclude<Subject, { is: 'outlet' | 'identity' }>,
  feed: Outlet,
): Rack {
  const power = [feed];
  switch (subject.is) {
    case 'jumphost':
      return { ...rack, jumphost: { ...subject.jumphost, power } };
    case 'device': {
      const device = { ...subject.device, power };
      return { ...rack, infrastructure: new Map(rack.infrastructure).set(device.name, device) };
    }
    case 'machine': {
      const machine = { ...subject.machine, power };
      return { ...rack, machines: new Map(rack.machines).set(machine.name, machine) };
    }
    case 'phone':
      return rack;
  }
}

/** As it is written in rack.yaml. */
export function outletText(outlet: Outlet | UsbPort | 'internet'): string {
  if (outlet === 'internet') return outlet;
  return 'hub' in outlet ? formatUsbPort(outlet) : formatOutlet(outlet);
}

/** A port of a machine's own hub among the other outlets: `rpi-001/usb/1-1.2`. */
export function hubOutlet(machine: string, port: UsbPort): Outlet {
  return { device: machine, outlet: formatUsbPort(port) };
}

/** `android`, or `left:android` where a phone has a name of its own. */
export function phoneText({ name, kind }: AttachedDevice): string {
  return name === 'device' ? kind : `${name}:${kind}`;
}
