/**
 * The graph of power and network: which machines, phones and equipment lose power or network when something is off. A node is on while one
 * of its feeds is on, or without feeds in the rack. It is linked while its uplink is on and linked. PoE is a feed; a port without power
 * still has data.
 */
import { feedOf, formatOutlet, type Outlet } from '../schema/outlets.ts';
import { oncePerRack } from './once-per-rack.ts';
import type { AttachedDevice, Machine, Rack } from './rack.ts';
import { builtInHubs } from './uhubctl.ts';

/** A machine, device, phone or the jumphost. */
interface Thing {
  name: string;
  /** `outlet`: as in rack.yaml, `pdu-1/4`. */
  feeds: readonly { outlet: string; device: string }[];
  uplink?: Outlet;
  /** A phone is on and linked through its machine. */
  host?: string;
}

type Use = 'power' | 'network';

/** By name. For each step of hundreds of cycles, the power-cycle daemon determines what loses power. */
const thingsOf = oncePerRack((rack): ReadonlyMap<string, Thing> => {
  const things = new Map<string, Thing>();
  const add = ({ feeds, ...thing }: Omit<Thing, 'feeds'> & { feeds: readonly Outlet[] }) =>
    things.set(thing.name, {
      ...thing,
      feeds: feeds.map((feed) => ({ outlet: formatOutlet(feed), device: feed.device })),
    });
  for (const entry of [rack.jumphost, ...rack.equipment.values()]) {
    const { name, power: feeds, uplink } = entry;
    add({ name, feeds, ...(uplink !== undefined && uplink !== 'internet' && { uplink }) });
  }
  for (const machine of rack.machines.values()) {
    const { name, power: feeds, uplink, devices } = machine;
    add({ name, feeds, ...(uplink && { uplink }) });
    for (const device of devices) {
      const feed = feedOf(name, sharedPort(machine, device) ?? device);
      add({ name: device.fullName, feeds: feed ? [feed] : [], host: name });
    }
  }
  return things;
});

/**
 * The phone whose port also cuts the power of this one, which has no `power`: a Raspberry Pi switches all its USB ports together. Undefined:
 * there is none.
 */
export function sharedPort(
  { kind, devices }: Machine,
  { power, address }: AttachedDevice,
): AttachedDevice | undefined {
  if (kind !== 'rpi' || power !== undefined || address !== undefined) return undefined;
  return devices.find(
    ({ power, powerVerified }) =>
      power !== undefined && 'hub' in power && builtInHubs.has(power.hub) && !powerVerified,
  );
}

/**
 * Whether the loads of an outlet are known. In a rack with a disabled part, only feeds of machines and their devices are:
 * another outlet may feed a disabled entry or the jumphost.
 */
export function feedsKnown(rack: Rack, outlet: Outlet): boolean {
  if (!rack.disabled?.wiring) return true;
  const written = formatOutlet(outlet);
  return [...rack.machines.values()].some(({ name, power, devices }) => {
    const feeds = [...power, ...devices.flatMap((device) => feedOf(name, device) ?? [])];
    return feeds.some((feed) => formatOutlet(feed) === written);
  });
}

/**
 * Devices and outlets that an entry depends on for power and network, transitively, nearest first: `switch-1/14`,
 * `switch-1`, `pdu-1/2` … Includes all of several feeds. A phone needs its machine.
 *
 * @param uses only for power, or only for network
 * @throws RangeError Unknown name.
 */
export function dependsOn(
  rack: Rack,
  name: string,
  uses: readonly Use[] = ['power', 'network'],
): string[] {
  const things = thingsOf(rack);
  const start = things.get(name);
  if (start === undefined) throw new RangeError(`${name} is not in ${rack.name}`);
  const needed = new Set<string>();
  const visited = new Set<string>();
  const queue = uses.map((needs) => ({ thing: start, needs }));
  const visit = (name: string, needs: Use) => {
    needed.add(name);
    const thing = things.get(name);
    if (thing !== undefined && !visited.has(`${needs} ${name}`)) queue.push({ thing, needs });
    visited.add(`${needs} ${name}`);
  };
  for (const { thing, needs } of queue) {
    const { host, uplink } = thing;
    if (needs === 'power') {
      for (const feed of thing.feeds) {
        needed.add(feed.outlet);
        visit(feed.device, 'power');
      }
    } else if (uplink !== undefined) {
      needed.add(formatOutlet(uplink));
      visit(uplink.device, 'power');
      visit(uplink.device, 'network');
    }
    if (host !== undefined) visit(host, needs);
  }
  needed.delete(name);
  return [...needed];
}

/** Switches, PDUs and hubs that a machine itself is connected to. */
export function connectedTo({ power, uplink }: Pick<Machine, 'power' | 'uplink'>): Set<string> {
  return new Set([...power, ...(uplink ? [uplink] : [])].map(({ device }) => device));
}

/**
 * Names that lose power or network when these outlets are off, in the order of rack.yaml. An entry with several feeds does
 * so only if all are off. A port of the hub of machine `m` is `{ device: 'm', outlet: 'usb/1-1.2' }`.
 */
export function goesDark(rack: Rack, outlets: Outlet | readonly Outlet[]): string[] {
  const things = thingsOf(rack);
  const on = poweredWithout(things, [outlets].flat());
  const linked = growing(things, ({ name, host, uplink }, isLinked) => {
    if (!on.has(name)) return false;
    return uplink !== undefined ? isLinked(uplink.device) : host === undefined || isLinked(host);
  });
  return [...things.keys()].filter((name) => !linked.has(name));
}

/** Names that lose power when these outlets are off. Network does not count. */
export function losesPower(rack: Rack, outlets: readonly Outlet[]): string[] {
  const things = thingsOf(rack);
  const on = poweredWithout(things, outlets);
  return [...things.keys()].filter((name) => !on.has(name));
}

function poweredWithout(
  things: ReadonlyMap<string, Thing>,
  outlets: readonly Outlet[],
): ReadonlySet<string> {
  const cut = new Set(outlets.map(formatOutlet));
  // Grows from nodes that are certainly on, because a ring of devices stays off without an outer feed.
  return growing(things, (thing, isOn) => {
    if (thing.host !== undefined && !isOn(thing.host)) return false;
    const { feeds } = thing;
    return (
      feeds.length === 0 || feeds.some(({ outlet, device }) => !cut.has(outlet) && isOn(device))
    );
  });
}

/** The smallest set that is closed under the rule. Names that are not in the rack count as members. */
function growing(
  things: ReadonlyMap<string, Thing>,
  admits: (thing: Thing, isHeld: (name: string) => boolean) => boolean,
): Set<string> {
  const held = new Set<string>();
  const isHeld = (name: string) => held.has(name) || !things.has(name);
  for (let size = -1; size !== held.size; ) {
    size = held.size;
    for (const thing of things.values()) {
      if (!held.has(thing.name) && admits(thing, isHeld)) held.add(thing.name);
    }
  }
  return held;
}
