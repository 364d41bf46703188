/** Facts about machines in trouble, by one rule for pages and commands: since when, which are silent, who is working on it. */
import type { Machine, MachineCondition, RackView } from './machine-state.ts';
import type { DeviceStatus } from './swarming-client.ts';

interface ConditionFacts {
  level: 'well' | 'warning' | 'bad';
  /** The agent does not respond. */
  isSilent?: true;
  /** The machine takes no tasks, although no plan says so. */
  isUnable?: true;
}

/** What follows from a condition. */
export const conditionFacts: Readonly<Record<MachineCondition, ConditionFacts>> = {
  ok: { level: 'well' },
  unknown: { level: 'warning' },
  recovering: { level: 'warning', isUnable: true },
  maintenance: { level: 'warning' },
  quarantined: { level: 'bad', isUnable: true },
  stale: { level: 'warning', isSilent: true },
  gone: { level: 'bad', isSilent: true, isUnable: true },
  'never-reported': { level: 'bad' },
};

export function isSilent({ condition }: Pick<Machine, 'condition'>): boolean {
  return conditionFacts[condition].isSilent === true;
}

/** Whether a machine responds, but takes no tasks because of a fault. */
export function isUnfit({ condition }: Pick<Machine, 'condition'>): boolean {
  return takesNoTasks(conditionFacts[condition]);
}

function takesNoTasks({ isUnable, isSilent }: ConditionFacts): boolean {
  return isUnable === true && isSilent !== true;
}

/** What people read: of a silence, only its age is known, which is beside the word. */
export function conditionWord(condition: MachineCondition): string {
  return isSilent({ condition }) ? 'silent' : condition;
}

/** @param machines their numbers by condition, from metrics */
export function silentIn(machines: Readonly<Record<string, number>>): number {
  return sumOf(({ isSilent }) => isSilent === true, machines);
}

/** @param machines as for {@link silentIn} */
export function unfitIn(machines: Readonly<Record<string, number>>): number {
  return sumOf(takesNoTasks, machines);
}

function sumOf(
  has: (facts: ConditionFacts) => boolean,
  machines: Readonly<Record<string, number>>,
): number {
  return Object.entries(conditionFacts)
    .filter(([, facts]) => has(facts))
    .reduce((sum, [condition]) => sum + (machines[condition] ?? 0), 0);
}

/** When a machine's condition began. Silence began with the last answer, although the condition is only known a minute later. */
export function beganAt(machine: Pick<Machine, 'condition' | 'since' | 'lastSeen'>) {
  return (isSilent(machine) && machine.lastSeen) || machine.since;
}

/** Readings of now: what a silent machine reported last is not known any more, and neither are old figures. */
export function readingsOf(machine: Pick<Machine, 'condition' | Reading>): Pick<Machine, Reading> {
  return isSilent(machine)
    ? { devices: [] }
    : { ...machine, devices: machine.devices.map(withoutOld) };
}

/** The device with the figures that could be read when it was last checked. */
export function withoutOld(device: DeviceStatus): DeviceStatus {
  return {
    ...device,
    ...(isOld(device.batteryAt, device) && { batteryPercent: undefined }),
    ...(isOld(device.temperaturesAt, device) && { temperaturesCelsius: undefined }),
  };
}

/** Whether a figure of a device could not be read when the device was last checked, so that its age must be shown. */
export function isOld(at: string | undefined, { readAt }: Pick<DeviceStatus, 'readAt'>): boolean {
  return Boolean(at) && at !== readAt;
}

type Reading = 'bot' | 'devices' | 'host';

/** Machines that fell silent recently, without a common cause or an action under way, longest silent first. */
export function recentlySilent(machines: Iterable<Machine>): Machine[] {
  return [...machines]
    .filter(
      ({ condition, cause, needsAttention, power }) =>
        condition === 'stale' && !cause && !needsAttention && !power?.cycle,
    )
    .sort(({ lastSeen: a = '' }, { lastSeen: b = '' }) => a.localeCompare(b));
}

/** Incidents that continue and contain some of these machines: first that of most of them, or the newest of several. */
export function incidentsOf(
  machines: readonly Pick<Machine, 'name'>[],
  incidents: RackView['incidents'],
): RackView['incidents'] {
  const names = new Set(machines.map(({ name }) => name));
  const shares = incidents.map((incident) => ({
    incident,
    share: incident.machines.filter((name) => names.has(name)).length,
  }));
  return shares
    .filter(({ share }) => share > 0)
    .sort((a, b) => b.share - a.share || b.incident.since.localeCompare(a.incident.since))
    .map(({ incident }) => incident);
}

export interface OnIt {
  by: string;
  since: string;
  until: string;
  /** Of its holds, to end them. */
  ids: string[];
  /** How many of the machines. */
  machines: number;
  /** It names another incident, or a problem. */
  incident: string | undefined;
  /** It began before this incident. */
  isEarlier: boolean;
}

/**
 * Who is on it, each person once for each incident.
 *
 * @param since when this incident began: a hold that was set before says nothing about it
 */
export function onItOf(machines: Iterable<Pick<Machine, 'power'>>, since = ''): OnIt[] {
  const all = [...machines].flatMap(({ power }) => power?.onIt ?? []);
  const groups = Map.groupBy(all, ({ by, incident }) => `${by} ${incident}`);
  return [...groups.values()]
    .flatMap((own) => {
      const [first] = own.toSorted((a, b) => a.since.localeCompare(b.since));
      const [last] = own.toSorted((a, b) => b.until.localeCompare(a.until));
      if (first === undefined || last === undefined) return [];
      const ids = own.map(({ id }) => id);
      const { by, incident, since: begun } = first;
      const isEarlier = Date.parse(begun) < Date.parse(since);
      const common = { by, incident, isEarlier, ids, machines: own.length };
      return [{ ...common, since: begun, until: last.until }];
    })
    .sort((a, b) => a.since.localeCompare(b.since));
}
