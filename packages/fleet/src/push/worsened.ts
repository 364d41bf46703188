/**
 * Decides whether a push made a rack worse, and must stop: new alerts, more unhealthy or lost machines, more failed tasks, from
 * Prometheus' data before and after it (pure). Only machines that reported before it are compared, each with itself: what another one
 * reports may be as old as the machine.
 */
import { count } from '@skolo/base';
import { type Labels, type RackHealth, sumOf } from '../survey/rack-health.ts';

/** Of this many machines, how many may be quarantined by chance meanwhile, for example because of a low battery; never all of them. */
function mostByChance(all: number): number {
  return Math.max(0, Math.min(all - 1, Math.max(1, all * 0.1)));
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

/** The share of tasks that may fail by chance, because tests fail. */
const mostTasksByChance = { tasks: 2, part: 0.2 };

/** One text for each fault; empty if nothing is worse. */
export function worsened(before: RackHealth, after: RackHealth): string[] {
  const down = after.down
    .filter((service) => !before.down.includes(service))
    .map((service) => `${service} no longer responds to Prometheus`);
  return [
    ...newAlerts(before, after),
    ...down,
    ...quarantined(before, after),
    ...fellSilent(before, after),
    ...failedTasks(before, after),
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
  const machines = Object.keys(before.seen).filter(
    (name) => !(name in after.seen) && (expected?.has(name) ?? true),
  );
  const services = Object.keys(before.versions).filter((name) => !(name in after.versions));
  const agents = reporting(before);
  const lost = agents.filter((machine) => verdictOf(after, machine) === undefined).length;
  const most = mostLosses(agents.length, after.at - before.at, before.losses);
  const gone = [
    ...services,
    ...(machines.length > 0 ? [namesText(machines)] : []),
    ...(lost > most && expected === undefined ? [count(lost, 'agent')] : []),
  ];
  return gone.map((what) => `Prometheus no longer has data about ${what}`);
}

/** Machines whose agents report. */
function reporting(health: RackHealth): string[] {
  return Object.keys(health.reports ?? {}).filter((machine) => verdictOf(health, machine));
}

function verdictOf({ reports = {} }: RackHealth, machine: string): string | undefined {
  return reports[machine]?.verdict;
}

/** Whether a machine reported before: its agent, or the machine itself if it runs none, such as the jumphost. */
function hasReported(machine: string, before: RackHealth, after: RackHealth): boolean {
  const hasAgent = [before, after].some(({ reports = {} }) => machine in reports);
  return hasAgent ? verdictOf(before, machine) !== undefined : before.seen[machine] === true;
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

/** Alerts that count machines instead of naming them: most need more than three, and a fifth of all. */
const ofMany = /^(Machines|Swarming)/;

function newAlerts(before: RackHealth, after: RackHealth): string[] {
  const machines = Object.keys({
    ...before.seen,
    ...before.reports,
    ...after.seen,
    ...after.reports,
  });
  const others = machines.filter((machine) => !hasReported(machine, before, after)).length;
  const mayBeOfOthers = others > 3 && others > machines.length / 5;
  const counts = (name: string, { machine }: Labels) => {
    if (machine === undefined) return !(mayBeOfOthers && ofMany.test(name));
    // How many may be silent is judged on its own.
    return after.seen[machine] !== false && hasReported(machine, before, after);
  };
  return after.alerts.flatMap(({ name, severity, subjects }) => {
    const same = before.alerts.filter((each) => each.name === name && each.severity === severity);
    const known = new Set(same.flatMap((each) => each.subjects.map(labelsText)));
    const added = subjects
      .filter((subject) => counts(name, subject))
      .map(labelsText)
      .filter((subject) => !known.has(subject));
    const named = added.filter((subject) => subject !== '');
    const about = named.length > 0 ? ` for ${namesText(named)}` : '';
    return added.length > 0 ? [`new alert ${name} (${severity})${about}`] : [];
  });
}

function quarantined(before: RackHealth, after: RackHealth): string[] {
  const both = reporting(before).filter((machine) => verdictOf(after, machine) !== undefined);
  const isQuarantined = (health: RackHealth, machine: string) =>
    verdictOf(health, machine) === 'quarantined';
  const more = both.filter((each) => isQuarantined(after, each) && !isQuarantined(before, each));
  if (more.length <= mostByChance(both.length)) return [];
  return [`${count(more.length, 'more machine')} quarantined: ${namesText(more)}`];
}

function fellSilent(before: RackHealth, after: RackHealth): string[] {
  const answered = Object.keys(after.seen).filter((name) => before.seen[name]);
  const names = answered.filter((name) => !after.seen[name]);
  const { all = 0, silent = 0 } = after.machines ?? {};
  const isAll = names.length > 0 && names.length === answered.length;
  const most = mostLosses(answered.length, after.at - before.at, before.losses);
  if (names.length <= most && !isAll) return [];
  return [
    `${count(names.length, 'machine')} fell silent: ${namesText(names)}; ${silent} of ${all} are silent`,
  ];
}

function failedTasks(before: RackHealth, after: RackHealth): string[] {
  const machines = reporting(before);
  const [was, is] = [before, after].map(({ reports = {} }) =>
    sumOf(machines.flatMap((machine) => reports[machine]?.tasks ?? [])),
  );
  if (is === undefined || is.failed <= mostTasksByChance.tasks) return [];
  const [usual, now] = [was, is].map((tasks) => (tasks?.all ? tasks.failed / tasks.all : 0));
  if ((now ?? 0) <= (usual ?? 0) + mostTasksByChance.part) return [];
  return [`${is.failed} of ${is.all} tasks have failed since the push`];
}
