/** The rack without its machines: shelves, and whether each switch, PDU and router is up, with its ports. Pure. */
import { deliveryOf } from '@skolo/alerts/delivery-state';
import type {
  BackupEquipment,
  CommonCause,
  ControllerStatus,
  CycleRequest,
  Machine,
  RackEquipment,
  RackPort,
  RackView,
} from '@skolo/api';
import { type Equipment, feedOf, formatOutlet, type Outlet, type Rack } from '@skolo/rack';
import { given } from './machine.ts';
import type { Services } from './sources.ts';

interface RackSources {
  rackFile: RackView['rackFile'];
  services: Services;
  states: RackView['services'];
  causes: readonly CommonCause[];
  incidents: RackView['incidents'];
  /** Firing, and without a machine. */
  alerts: Machine['alerts'];
  cycleRequests: CycleRequest[];
}

/** Machines without a shelf are on this one. */
const noShelf = 'no shelf';

export function rackViewFrom(rack: Rack, sources: RackSources): RackView {
  const ports = portsOf(rack, sources.services);
  return {
    rack: rack.name,
    jumphost: rack.jumphost.name,
    timezone: rack.timezone,
    shelves: shelvesOf(rack),
    equipment: [...rack.equipment.values()].map((equipment) => ({
      ...equipmentOf(equipment, sources.services),
      ports: ports.get(equipment.name) ?? [],
    })),
    causes: [...sources.causes],
    incidents: sources.incidents,
    services: sources.states,
    cycleRequests: sources.cycleRequests,
    rackFile: sources.rackFile,
    alerts: sources.alerts,
    ...given({ alertPath: alertPathOf(sources) }),
  };
}

/** An empty list of alerts is good news only if alerts arrive. */
function alertPathOf({ services, states }: RackSources): RackView['alertPath'] {
  if (services.delivery !== undefined) return deliveryOf(services.delivery);
  const why = states.find(({ name }) => name === 'alert-to-pubsub')?.why;
  return why === undefined ? undefined : { state: 'failing', text: why };
}

/** In the order of rack.yaml. */
function shelvesOf(rack: Rack): RackView['shelves'] {
  const shelves = Map.groupBy(rack.machines.values(), ({ shelf }) => shelf ?? noShelf);
  return [...shelves].map(([name, machines]) => ({
    name,
    machines: machines.map((machine) => machine.name),
  }));
}

function equipmentOf(equipment: Equipment, services: Services): Omit<RackEquipment, 'ports'> {
  const { name, model, address, uplink, power } = equipment;
  const backup = services.backups?.get(name);
  const { answeredAt: _, ...state } = stateOf(services.power?.controllers.get(name), backup);
  return {
    name,
    model,
    power: power.map(formatOutlet),
    ...given({ address, lastBackup: backup?.lastSuccess, backup: backup && backupOf(backup) }),
    ...(uplink && { uplink: uplink === 'internet' ? uplink : formatOutlet(uplink) }),
    ...state,
  };
}

function backupOf({ state, why, detail }: BackupEquipment): RackEquipment['backup'] {
  return { state, ...given({ why: detail ?? why }) };
}

/** The power-cycle daemon polls every minute; a backup is of last night. `answeredAt`: the equipment's last answer, unless it is down. */
export function stateOf(
  controller: ControllerStatus | undefined,
  backup: BackupEquipment | undefined,
): Pick<RackEquipment, 'state' | 'why' | 'since'> & { answeredAt?: string } {
  if (controller !== undefined && controller.state !== 'unknown') {
    const { state, detail, since, lastContact } = controller;
    const told = given({ why: detail, since });
    return state === 'down'
      ? { state, ...told }
      : { state, ...told, ...given({ answeredAt: lastContact }) };
  }
  if (backup?.failure === 'unreachable' || backup?.failure === 'timeout') {
    return { state: 'down', ...given({ why: backup.detail, since: backup.lastAttempt }) };
  }
  if (backup?.state === 'ok') {
    const { lastSuccess } = backup;
    return { state: 'unknown', ...given({ answeredAt: lastSuccess }) };
  }
  return { state: 'unknown' };
}

/** Both ends of each cable, by the device that has the port. */
function portsOf(rack: Rack, services: Services): Map<string, RackPort[]> {
  const found = new Map<string, Map<string, RackPort>>();
  const portAt = ({ device, outlet }: Outlet): RackPort => {
    const own = found.get(device) ?? new Map<string, RackPort>();
    const port = own.get(outlet) ?? { port: outlet, powers: [], connects: [] };
    found.set(device, own.set(outlet, port));
    return port;
  };
  const states = outletStates(services);
  const feed = (outlet: Outlet, name: string) => {
    const port = portAt(outlet);
    port.powers.push(name);
    port.state = states.get(formatOutlet(outlet)) ?? 'unknown';
  };
  for (const { name, power, uplink } of [
    rack.jumphost,
    ...rack.equipment.values(),
    ...rack.machines.values(),
  ]) {
    for (const outlet of power) feed(outlet, name);
    if (uplink !== undefined && uplink !== 'internet') portAt(uplink).connects.push(name);
  }
  for (const machine of rack.machines.values()) {
    for (const device of machine.devices) {
      const outlet = feedOf(machine.name, device);
      if (outlet && rack.equipment.has(outlet.device)) feed(outlet, device.fullName);
    }
  }
  return new Map([...found].map(([equipment, ports]) => [equipment, sorted([...ports.values()])]));
}

function outletStates({ power }: Services): Map<string, 'on' | 'off' | 'unknown'> {
  const outlets = [...(power?.machines.values() ?? [])].flatMap((each) => each.outlets);
  return new Map(outlets.map(({ outlet, state }) => [outlet, state]));
}

/** `2` before `10`. */
function sorted(ports: RackPort[]): RackPort[] {
  const { compare } = new Intl.Collator('en', { numeric: true });
  return ports.sort((a, b) => compare(a.port, b.port));
}
