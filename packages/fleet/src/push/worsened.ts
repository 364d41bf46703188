/**
 * Decides whether a push made a rack worse, and must stop: new alerts, more unhealthy or lost machines, more failed tasks, from
 * Prometheus' data before and after it (pure). Only machines that reported before it are compared, each with itself: what another one
 * reports may be as old as the machine. The rest of a rack counts as a whole.
 */
import { count } from '@skolo/base';
import { countingAlerts, isOfAgents, replacedBy } from '../survey/alerts-of-machines.ts';
import { type Labels, type RackHealth, sumOf } from '../survey/rack-health.ts';
import {
  hasReported,
  type Machines,
  machinesIn,
  reporting,
  verdictNow,
} from './compared-machines.ts';

/** Of this many machines, how many may be quarantined by chance meanwhile, for example because of a low battery, unless no others are left. */
function mostByChance(all: number): number {
  return Math.max(1, all * 0.1);
}

const weekSeconds = 7 * 86_400;
const fewMachines = 20;
/** The part of the machines whose loss is never chance, even if a switch has flapped all week. */
const mostLost = 0.1;

/**
 * How many machines may be lost by chance while this many receive a new version, for example because of a power cut.
 *
 * @param weekly losses in the last week; undefined: unknown
 */
export function mostLosses(replaced: number, seconds: number, weekly = 0): number {
  if (replaced < fewMachines) return 1;
  return Math.max(2, Math.min(replaced * mostLost, (3 * weekly * seconds) / weekSeconds));
}

/** Failed tasks that chance explains, because tests fail: their number, and the part of all tasks. */
const mostTasksByChance = { tasks: 2, part: 0.2 };

/** One text for each fault; empty if nothing is worse. */
export function worsened(before: RackHealth, after: RackHealth): string[] {
  const machines = machinesIn(before, after);
  const down = after.down
    .filter((service) => !before.down.includes(service))
    .map((service) => `${service} no longer responds to Prometheus`);
  return [
    ...newAlerts(before, after, machines),
    ...down,
    ...quarantined(before, after, machines),
    ...fellSilent(before, after, machines),
    ...failedTasks(machines),
  ];
}

/**
 * What Prometheus knew and no longer knows, one text each. It returns once Prometheus has scraped a new pod.
 *
 * Other metrics may be missing, because an earlier version lacks them.
 *
 * @param expected names of the machines in a new rack.yaml; absent: rack.yaml is the same, so all must return
 */
export function missing(
  before: RackHealth,
  after: RackHealth,
  expected?: ReadonlySet<string>,
): string[] {
  const machines = machinesIn(before, after);
  const names = Object.keys(before.seen).filter(
    (name) => machines.get(name)?.is.isSeen === undefined && (expected?.has(name) ?? true),
  );
  const services = Object.keys(before.versions).filter((name) => !(name in after.versions));
  const { lost, most } = lostAgents(before, after, machines);
  const gone = [
    ...services,
    ...(names.length > 0 ? [namesText(names)] : []),
    ...(lost > most && expected === undefined ? [count(lost, 'agent')] : []),
  ];
  return gone.map((what) => `Prometheus no longer has data about ${what}`);
}

/** How many agents no longer report, and how many may be lost by chance. */
function lostAgents(before: RackHealth, after: RackHealth, machines: Machines) {
  const agents = reporting(machines);
  const lost = agents.filter((machine) => verdictNow(machine) === undefined).length;
  return { lost, most: mostLosses(agents.length, after.at - before.at, before.losses) };
}

const mostNames = 5;

/** `rpi-1, rpi-2 (and 38 more)` */
export function namesText(names: readonly string[]): string {
  const more = names.length > mostNames ? ` (and ${names.length - mostNames} more)` : '';
  return `${names.slice(0, mostNames).join(', ')}${more}`;
}

/** `device=0 machine=rpi-1` */
function labelsText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}=${value}`);
  return pairs.sort().join(' ');
}

function newAlerts(before: RackHealth, after: RackHealth, machines: Machines): string[] {
  const isOfAgent = (name: string, subject: Labels) =>
    before.reports !== undefined && isOfAgents(name, subject);
  const isFault = (name: string, subject: Labels) => {
    const machine = machines.get(subject.machine ?? '');
    if (machine === undefined) return !isOfOthers(name, after, machines, isOfAgent(name, subject));
    if (replacedBy(name).some((alert) => before.counted?.[alert]?.[machine.name] === true))
      return false;
    // How many may be silent is judged on its own.
    return machine.is.isSeen !== false && hasReported(machine, isOfAgent(name, subject));
  };
  return after.alerts.flatMap(({ name, severity, subjects }) => {
    const same = before.alerts.filter((each) => each.name === name && each.severity === severity);
    const known = new Set(same.flatMap((each) => each.subjects.map(labelsText)));
    const added = subjects
      .filter((subject) => isFault(name, subject))
      .map(labelsText)
      .filter((subject) => !known.has(subject));
    const named = added.filter((subject) => subject !== '');
    const about = named.length > 0 ? ` for ${namesText(named)}` : '';
    return added.length > 0 ? [`new alert ${name} (${severity})${about}`] : [];
  });
}

/** Whether an alert that counts machines would not fire without those that had not reported before. */
function isOfOthers(
  name: string,
  after: RackHealth,
  machines: Machines,
  isOfAgent: boolean,
): boolean {
  const counted = Object.entries(after.counted?.[name] ?? {}).map(([machine, isAffected]) => {
    const compared = machines.get(machine);
    const isOld = compared !== undefined && hasReported(compared, isOfAgent);
    const responds = isOfAgent ? compared && verdictNow(compared) : compared?.is.isSeen;
    return { isAffected, isOld, isNew: !isOld && Boolean(responds) };
  });
  const affected = counted.filter(({ isAffected }) => isAffected);
  const old = affected.filter(({ isOld }) => isOld).length;
  const all = counted.filter(({ isNew }) => !isNew).length;
  const most = countingAlerts[name]?.all === undefined ? 0 : Math.max(3, all / 5);
  return old < affected.length && old <= most;
}

function quarantined(before: RackHealth, after: RackHealth, machines: Machines): string[] {
  const agents = reporting(machines);
  const all = agents.filter((machine) => verdictNow(machine) === 'quarantined');
  const more = all.filter(({ was }) => was.verdict !== 'quarantined').map(({ name }) => name);
  const { lost, most } = lostAgents(before, after, machines);
  const isAll = more.length > 0 && lost <= most && all.length + lost === agents.length;
  if (more.length <= mostByChance(agents.length) && !isAll) return [];
  return [`${count(more.length, 'more machine')} quarantined: ${namesText(more)}`];
}

function fellSilent(before: RackHealth, after: RackHealth, machines: Machines): string[] {
  const answered = [...machines.values()].filter(
    ({ was, is }) => was.isSeen && is.isSeen !== undefined,
  );
  const names = answered.filter(({ is }) => !is.isSeen).map(({ name }) => name);
  const { all = 0, silent = 0 } = after.machines ?? {};
  const isAll = names.length > 0 && names.length === answered.length;
  const most = mostLosses(answered.length, after.at - before.at, before.losses);
  if (names.length <= most && !isAll) return [];
  return [
    `${count(names.length, 'machine')} fell silent: ${namesText(names)}; ${silent} of ${all} are silent`,
  ];
}

/** Compares each machine's share of failed tasks with its own; one without tasks before, with that of all. */
function failedTasks(machines: Machines): string[] {
  const agents = reporting(machines);
  const [was, is] = (['was', 'is'] as const).map((when) =>
    sumOf(agents.flatMap(({ [when]: facts }) => facts.tasks ?? [])),
  );
  const usual = was?.all ? was.failed / was.all : 0;
  const { tasks, part } = mostTasksByChance;
  let [difference, worse, most] = [0, 0, 0];
  for (const { was, is } of agents) {
    const { all, failed } = is.tasks ?? { all: 0, failed: 0 };
    const share = ((was.tasks?.failed ?? 0) + usual) / ((was.tasks?.all ?? 0) + 1);
    difference += failed - share * all;
    worse += Math.max(0, failed - share * all);
    // A sum of what is worse grows by chance, too.
    most += all * (part + share * (1 - share));
  }
  if (is === undefined) return [];
  const isMore = is.failed > tasks && difference > is.all * part;
  if (!isMore && worse <= Math.max(tasks, most)) return [];
  return [`${is.failed} of ${is.all} tasks have failed since the push`];
}
