/**
 * Looks up targets of requests: machines, phones, equipment, single outlets; and decides how long power stays off in a cycle, unless the
 * request says it: the machine's `offSeconds`, or what its models require.
 */
import { normaliseAddress } from '@skolo/common';
import { models } from '@skolo/equipment/models';
import {
  type AttachedDevice,
  didYouMean,
  type Equipment,
  expandNames,
  feedOf,
  formatOutlet,
  type Machine,
  type Outlet,
  oncePerRack,
  parseOutlet,
  type Rack,
  RangeSyntaxError,
} from '@skolo/rack';

/** Something whose power can be switched on request. */
export interface Target {
  /** One name per target, however it was requested. */
  name: string;
  kind: 'machine' | 'phone' | 'equipment' | 'outlet';
  feeds: Outlet[];
  /** The machine itself, or the one that a phone is attached to. */
  machine?: Machine;
  /** The phone. */
  phone?: AttachedDevice;
  equipment?: Equipment;
}

/** A name of nothing in the rack. */
export interface UnknownTarget {
  name: string;
  why: string;
}

/** How long a USB port is off by default: long enough for a phone to notice. */
const usbOffSeconds = 5;
/** A rack has a few hundred of them. */
const mostNames = 10_000;
/** The number of unknown names for which a response suggests others. Each suggestion takes time. */
export const mostExplained = 100;

/** Looks up all names, with ranges expanded, each target once and in the order requested. */
export function findTargets(
  rack: Rack,
  written: readonly string[],
): { targets: Target[]; unknown: UnknownTarget[] } {
  const targets = new Map<string, Target>();
  const unknown: UnknownTarget[] = [];
  let count = 0;
  for (const text of written) {
    const names = namesOf(text, unknown);
    count += names.length;
    if (count > mostNames) {
      const why = `together with the previous names, this range expands to more than ${mostNames} names; send fewer names per request`;
      unknown.push({ name: text, why });
      break;
    }
    for (const name of names) {
      const target = findTarget(rack, name);
      if (target !== undefined) targets.set(target.name, target);
      else {
        const isExplained = unknown.length < mostExplained;
        unknown.push({ name, why: isExplained ? whyUnknown(rack, name) : 'not in rack.yaml' });
      }
    }
  }
  return { targets: [...targets.values()], unknown };
}

function namesOf(text: string, unknown: UnknownTarget[]): string[] {
  if (!/[[\]]/.test(text)) return [text];
  try {
    return expandNames(text);
  } catch (error) {
    if (!(error instanceof RangeSyntaxError)) throw error;
    unknown.push({ name: text, why: error.message });
    return [];
  }
}

/** A single name, not a range. An outlet that is the only feed of a single thing stands for that thing. */
export function findTarget(rack: Rack, name: string): Target | undefined {
  const machine = rack.machines.get(name);
  if (machine !== undefined) return { name, kind: 'machine', feeds: machine.power, machine };
  const equipment = rack.equipment.get(name);
  if (equipment !== undefined) {
    return { name, kind: 'equipment', feeds: equipment.power, equipment };
  }
  return findPhone(rack, name) ?? findOutlet(rack, name);
}

/** Everything that has its own name, in the order of rack.yaml. */
export const allTargets = oncePerRack((rack): readonly Target[] => {
  const machines = [...rack.machines.values()].flatMap((machine): Target[] => [
    { name: machine.name, kind: 'machine', feeds: machine.power, machine },
    ...machine.devices.map((device) => phone(machine, device)),
  ]);
  const equipment = [...rack.equipment.values()].map(
    (item): Target => ({
      name: item.name,
      kind: 'equipment',
      feeds: item.power,
      equipment: item,
    }),
  );
  return [...machines, ...equipment];
});

/** The controller's outlets that feed something in the rack, including the jumphost. */
export function usedOutlets(rack: Rack, controller: string): readonly string[] {
  return feedsByController(rack).get(controller) ?? [];
}

const feedsByController = oncePerRack((rack): ReadonlyMap<string, readonly string[]> => {
  const all = [...allTargets(rack), { feeds: rack.jumphost.power }].flatMap(({ feeds }) => feeds);
  const byController = Map.groupBy(all, ({ device }) => device);
  return new Map([...byController].map(([name, feeds]) => [name, feeds.map((one) => one.outlet)]));
});

/**
 * All outlets of a PDU none of which feeds anything in rack.yaml: people and pdudaemon's clients use them by number. The ports of such a
 * switch are not shown, because it may be there for the network alone.
 */
export function numberedOutlets(rack: Rack, controller: string): string[] {
  const equipment = rack.equipment.get(controller);
  const { power, network } = (equipment && models.get(equipment.model)) ?? {};
  if (!equipment || !power || network || usedOutlets(rack, controller).length > 0) return [];
  return power.outlets.all?.(equipment.options) ?? [];
}

/** Everything that has its own name, and outlets that have nothing but their number. */
export function shownTargets(rack: Rack): Target[] {
  const numbered = [...rack.equipment.keys()].flatMap((device) =>
    numberedOutlets(rack, device).map((outlet) => outletTarget({ device, outlet })),
  );
  return [...allTargets(rack), ...numbered];
}

function outletTarget(feed: Outlet): Target {
  return { name: formatOutlet(feed), kind: 'outlet', feeds: [feed] };
}

function phone(machine: Machine, device: AttachedDevice): Target {
  const feed = feedOf(machine.name, device);
  const feeds = feed === undefined ? [] : [feed];
  return { name: device.fullName, kind: 'phone', feeds, machine, phone: device };
}

function findPhone(rack: Rack, name: string): Target | undefined {
  for (const machine of rack.machines.values()) {
    if (!name.startsWith(`${machine.name}-`)) continue;
    const device = machine.devices.find(({ fullName }) => fullName === name);
    if (device !== undefined) return phone(machine, device);
  }
  return undefined;
}

function findOutlet(rack: Rack, name: string): Target | undefined {
  const written = parseOutlet(name);
  const controller = written && rack.equipment.get(written.device);
  const power = controller && models.get(controller.model)?.power;
  if (written === undefined || controller === undefined || power === undefined) return undefined;
  const outlet = power.outlets.find(written.outlet, controller.options);
  if (outlet === undefined) return undefined;
  const feed = { device: controller.name, outlet };
  const key = formatOutlet(feed);
  const fed = allTargets(rack).filter(({ feeds }) =>
    feeds.some((one) => formatOutlet(one) === key),
  );
  const [only, ...others] = fed;
  if (only !== undefined && others.length === 0 && only.feeds.length === 1) return only;
  return outletTarget(feed);
}

/** Why no target has this name. */
export function whyUnknown(rack: Rack, name: string): string {
  if (name === rack.jumphost.name) {
    return 'this is the jumphost, which runs this daemon, so the daemon could not turn it on again';
  }
  const written = parseOutlet(name);
  if (written !== undefined && written.outlet !== '' && rack.equipment.has(written.device)) {
    return `${written.device} does not have a switchable outlet with this name; to list the outlets, run skolo rack show ${written.device}`;
  }
  const guess = didYouMean(
    name,
    allTargets(rack).map((target) => target.name),
    'to list all names, run skolo inventory list',
  );
  return `${rack.name} does not have a machine, phone or equipment with this name${guess}`;
}

/** @param from as returned by `normaliseAddress` */
export function machineAt({ machines }: Rack, from: string): Machine | undefined {
  return [...machines.values()].find(
    ({ address }) => address !== undefined && normaliseAddress(address) === from,
  );
}

/** What is attached to a machine; nothing if it has just left rack.yaml. */
export function phonesOf({ machines }: Rack, name: string): Machine['devices'] {
  return machines.get(name)?.devices ?? [];
}

/** The off-time if the request gives none: the machine's own, or else the longest that its outlets' models require. */
export function defaultOffSeconds(rack: Rack, { machine, kind, feeds }: Target): number {
  if (kind === 'machine' && machine?.offSeconds !== undefined) return machine.offSeconds;
  const wanted = feeds.map(({ device }) => {
    const model = rack.equipment.get(device)?.model;
    return (model !== undefined && models.get(model)?.power?.offSeconds) || usbOffSeconds;
  });
  return Math.max(0, ...wanted);
}
