/** Decides whether a rack is healthy, from one query to its Prometheus (pure). */
import { areMany } from '@skolo/api/headline';
import { silentIn, unfitIn } from '@skolo/api/silence';
import { z } from 'zod';
import { countedQuery } from './alerts-of-machines.ts';

/**
 * The queries, by a name that the response contains. Machines are those in the recording rule in kube/base/prometheus; their
 * individual problems are in the alerts.
 */
const figures = {
  services: 'skolo_build_info{job!~"swarming-client|node"}',
  agents: 'max by (version) (skolo_machines_agents{job="machine-state"})',
  down: 'up{job=~"metadata-server|power-cycle-daemon|router-backup|alert-to-pubsub|machine-state|alertmanager"} == 0',
  alerts: 'ALERTS{alertstate="firing", alertname!="Watchdog", severity!="info"}',
  machines: 'machine:seen:max3m{machine!="JUMPHOST"}',
  counted: countedQuery,
  // 0 if the agent did not respond to the latest scrapes. A task may respond instead of its machine's agent, for example with NaN, which
  // affects only that machine.
  health:
    'max by (machine, verdict) (skolo_swarming_health{job="swarming-client"} == 1) or on (machine) 0 * max by (machine, verdict) (last_over_time(skolo_swarming_health{job="swarming-client"}[3m]) == 1)',
  conditions: 'max by (condition) (skolo_machines_condition{job="machine-state"})',
  serviceStates: 'skolo_machines_service_state{job="machine-state", state!="ready"} == 1',
  tasks: 'sum(skolo_swarming_task_running{job="swarming-client"} == bool 1)',
  tasksEnded:
    'sum by (machine) (increase(skolo_swarming_tasks_ended_total{job="swarming-client"}[WINDOW]) < 1e5)',
  tasksFailed:
    'sum by (machine) (increase(skolo_swarming_tasks_ended_total{job="swarming-client", outcome!="succeeded"}[WINDOW]) < 1e5)',
  losses: 'max(skolo_machines_losses_last_week{job="machine-state"})',
  held: 'skolo_power_machines_held{job="power-cycle-daemon"}',
  controllers: 'count(skolo_power_controller_up{job="power-cycle-daemon"})',
  controllersUp: 'sum(skolo_power_controller_up{job="power-cycle-daemon"})',
  token: 'min(skolo_metadata_token_remaining_seconds{job="metadata-server"})',
  backupAge: 'time() - min(skolo_backup_last_success_timestamp_seconds{job="router-backup"})',
  delivery: 'skolo_alerts_delivery{job="alert-to-pubsub"} == 1',
  waiting: 'max(skolo_alerts_spool_depth{job="alert-to-pubsub"})',
  spool:
    'max(skolo_alerts_spool_bytes{job="alert-to-pubsub"} / skolo_alerts_spool_max_bytes{job="alert-to-pubsub"})',
  // Of each disk of the jumphost.
  disk: 'max(1 - node_filesystem_avail_bytes{job="node", machine="JUMPHOST", fstype!~"tmpfs|ramfs|overlay|squashfs"} / node_filesystem_size_bytes{job="node"})',
  // From /run/reboot-required, reported by node-exporter in kube/base.
  reboots: 'sum(max by (machine) (node_reboot_required{job="node"}) == bool 1)',
  certificate:
    'min(skolo_tls_certificate_expiry_timestamp_seconds{job!~"swarming-client|node"}) - time()',
};

type Figure = keyof typeof figures;

/** For tasks that ended. */
const usualWindowSeconds = 3600;

/**
 * The PromQL queries, by name.
 *
 * @param windowSeconds tasks that ended since then
 */
export function healthQueries(
  jumphost: string,
  windowSeconds = usualWindowSeconds,
): Record<string, string> {
  const escaped = jumphost.replaceAll(/[\\"]/g, '\\$&');
  const entries = Object.entries(figures).map(([name, text]) => [
    name,
    text.replace('JUMPHOST', () => escaped).replace('WINDOW', `${Math.ceil(windowSeconds)}s`),
  ]);
  return Object.fromEntries(entries);
}

/** The path of Prometheus' API with a query for all values. */
export function healthPath(jumphost: string, windowSeconds?: number): string {
  const query = Object.entries(healthQueries(jumphost, windowSeconds))
    .map(([name, asked]) => `label_replace(${asked}, "figure", "${name}", "", "")`)
    .join(' or ');
  return `/api/v1/query?query=${encodeURIComponent(query)}`;
}

/** https://prometheus.io/docs/prometheus/latest/querying/api/#instant-vectors */
const Answer = z.object({
  data: z.object({
    resultType: z.literal('vector'),
    result: z.array(
      z.object({
        metric: z.record(z.string(), z.string()),
        value: z.tuple([z.number(), z.string()]),
      }),
    ),
  }),
});
type Sample = z.output<typeof Answer>['data']['result'][number];

export type Labels = Readonly<Record<string, string>>;

/** What the agent of one machine reports. Absent: it does not report. */
export interface AgentReport {
  verdict?: string;
  /** The verdict is of the last minutes, because the latest scrapes failed. */
  isLate?: boolean;
  /** Tasks that ended in the last hour, or in the requested period. */
  tasks?: Tasks;
}

interface Tasks {
  all: number;
  failed: number;
}

/** Absent: Prometheus has no value. */
export interface RackHealth {
  /** By Prometheus' clock, in seconds. */
  at: number;
  /** Worst first; `unknown` if Prometheus does not have metrics from any service, or some machine's health is unknown. */
  state: 'critical' | 'warning' | 'unknown' | 'ok';
  /** By service; more than one while it is being replaced. */
  versions: Record<string, string[]>;
  /** Versions of agents, and on how many machines. */
  agents: Record<string, number>;
  /** Services that do not respond to Prometheus. */
  down: string[];
  /** Firing alerts, except informational ones, with the labels of what each is about. */
  alerts: { name: string; severity: string; count: number; subjects: Labels[] }[];
  /** `heldBy`: how many machines each person holds. */
  machines?: { all: number; silent: number; held: number; heldBy: Record<string, number> };
  /** Whether a machine shows any sign of life, by its name. */
  seen: Record<string, boolean>;
  /** How often machines were lost in the last week, from machine-state's history. */
  losses?: number;
  /** Machines by the state that their agents report: ok, recovering, maintenance, quarantined. */
  health: Record<string, number>;
  /** By machine; absent in an answer to an earlier version, which did not ask about machines. */
  reports?: Record<string, AgentReport>;
  /** For each firing alert that counts machines, whether it counts a machine, by its name. */
  counted?: Record<string, Record<string, boolean>>;
  /** Machines by their condition, as machine-state judges; empty while it does not respond. */
  conditions: Record<string, number>;
  /** Services that are not ready, as machine-state judges: `degraded`, `not ready`, `unreachable`. */
  serviceStates: Record<string, string>;
  tasks?: number;
  /** Those of all machines that ended in the last hour, or in the requested period. */
  tasksEnded?: Tasks;
  /** Computers that require a reboot, for example after a kernel update. */
  reboots?: number;
  controllers?: { all: number; up: number };
  /** Remaining lifetime of the token that expires first, in seconds. */
  tokenSeconds?: number;
  /** Age of the oldest device's last backup, in seconds. */
  backupSeconds?: number;
  /** Whether alerts are delivered, as alert-to-pubsub judges: `failing`, `silent`, `not confirmed`, `delivered`. */
  delivery?: string;
  /** Messages waiting for a sink. */
  waiting?: number;
  /** Used fraction, 0 to 1, of the spool and of the jumphost's fullest disk. */
  spool?: number;
  disk?: number;
  /** Time until the first certificate expires, in seconds. */
  certificateSeconds?: number;
}

/**
 * Parses the response.
 *
 * @throws z.ZodError @throws SyntaxError It is not a response from Prometheus.
 */
export function readHealth(text: string): RackHealth {
  const { result } = Answer.parse(JSON.parse(text)).data;
  const of = (name: Figure) => result.filter(({ metric }) => metric.figure === name);
  const one = (name: Figure) => of(name).map(numberOf)[0];
  const by = (name: Figure, label: string) =>
    Object.fromEntries(of(name).map((sample) => [sample.metric[label] ?? '', numberOf(sample)]));
  const versions = Map.groupBy(of('services'), ({ metric }) => metric.service ?? '');
  const machines = of('machines');
  const seen = machines.map(
    (sample) => [sample.metric.machine ?? '', numberOf(sample) > 0] as const,
  );
  const controllers = one('controllers');
  const reports = reportsOf(of('health'), of('tasksEnded'), of('tasksFailed'));
  const known = Object.values(reports ?? {});
  const tasksEnded = sumOf(known.flatMap(({ tasks }) => tasks ?? []));
  const counted = countedIn(of('counted'));
  const delivery = of('delivery')[0]?.metric.state;
  // Daemons before 0.3 do not say by whom.
  const heldBy = by('held', 'by');
  const facts = {
    at: result[0]?.value[0] ?? 0,
    versions: Object.fromEntries(
      [...versions].map(([service, all]) => [service, [...new Set(all.map(versionOf))].sort()]),
    ),
    agents: by('agents', 'version'),
    down: of('down').map(({ metric }) => metric.job ?? ''),
    alerts: of('alerts').map(({ metric }) => metric),
    seen: Object.fromEntries(seen),
    health: countsBy(known.flatMap(({ verdict, isLate }) => (isLate ? [] : (verdict ?? [])))),
    ...(reports && { reports }),
    ...(counted && { counted }),
    conditions: by('conditions', 'condition'),
    serviceStates: Object.fromEntries(
      of('serviceStates').map(({ metric }) => [metric.service ?? '', metric.state ?? '']),
    ),
    ...(machines.length > 0 && {
      machines: {
        all: machines.length,
        silent: seen.filter(([, isSeen]) => !isSeen).length,
        held: Object.values(heldBy).reduce((sum, count) => sum + count, 0),
        heldBy: Object.fromEntries(Object.entries(heldBy).filter(([person]) => person !== '')),
      },
    }),
    ...(tasksEnded && { tasksEnded }),
    ...(controllers !== undefined && {
      controllers: { all: controllers, up: one('controllersUp') ?? 0 },
    }),
    ...(delivery !== undefined && { delivery }),
    ...defined({
      losses: one('losses'),
      tasks: one('tasks'),
      reboots: one('reboots'),
      tokenSeconds: one('token'),
      backupSeconds: one('backupAge'),
      waiting: one('waiting'),
      spool: one('spool'),
      disk: one('disk'),
      certificateSeconds: one('certificate'),
    }),
  };
  return judged(facts);
}

/** Undefined if the samples do not name machines. */
function reportsOf(
  health: readonly Sample[],
  ended: readonly Sample[],
  failed: readonly Sample[],
): Record<string, AgentReport> | undefined {
  const byMachine = (samples: readonly Sample[]) =>
    new Map(samples.map((sample) => [sample.metric.machine ?? '', sample] as const));
  const [verdicts, all, failures] = [byMachine(health), byMachine(ended), byMachine(failed)];
  if (verdicts.has('')) return undefined;
  // Prometheus extrapolates.
  const rounded = (sample: Sample | undefined) => Math.round(sample ? numberOf(sample) : 0);
  const entries = [...new Set([...verdicts.keys(), ...all.keys()])].map((machine) => {
    const [sample, tasks] = [verdicts.get(machine), all.get(machine)];
    const verdict = sample?.metric.verdict;
    const report: AgentReport = {
      ...(verdict !== undefined && { verdict }),
      ...(sample && numberOf(sample) === 0 && { isLate: true }),
      ...(tasks && {
        tasks: { all: rounded(tasks), failed: rounded(failures.get(machine)) },
      }),
    };
    return [machine, report] as const;
  });
  return Object.fromEntries(entries);
}

/** Undefined: no such alert fires. */
function countedIn(samples: readonly Sample[]): RackHealth['counted'] {
  if (samples.length === 0) return undefined;
  const byAlert = Map.groupBy(samples, ({ metric }) => metric.alert ?? '');
  const entries = [...byAlert].map(([alert, all]) => {
    const machines = all.map((each) => [each.metric.machine ?? '', numberOf(each) === 1] as const);
    return [alert, Object.fromEntries(machines)] as const;
  });
  return Object.fromEntries(entries);
}

/** Undefined: none are known. */
export function sumOf(tasks: readonly Tasks[]): Tasks | undefined {
  if (tasks.length === 0) return undefined;
  const sum = (read: (each: Tasks) => number) => tasks.reduce((all, each) => all + read(each), 0);
  return { all: sum(({ all }) => all), failed: sum(({ failed }) => failed) };
}

/** How often each word is listed. */
export function countsBy(words: readonly string[]): Record<string, number> {
  const groups = Map.groupBy(words, (word) => word);
  return Object.fromEntries([...groups].map(([word, { length }]) => [word, length]));
}

/** A rack's health from facts about it, with the alerts' labels. */
export function judged(
  facts: Omit<RackHealth, 'state' | 'alerts'> & { alerts: readonly Labels[] },
): RackHealth {
  const found = { ...facts, alerts: alertsOf(facts.alerts) };
  return { state: stateOf(found), ...found };
}

/** The most severe first. */
function alertsOf(samples: readonly Labels[]): RackHealth['alerts'] {
  const byKind = Map.groupBy(
    samples,
    ({ alertname = '', severity = '' }) => `${alertname} ${severity}`,
  );
  return [...byKind.values()]
    .map((all) => ({
      name: all[0]?.alertname ?? '',
      severity: all[0]?.severity ?? '',
      count: all.length,
      subjects: all.map(
        ({ __name__, figure, alertname, alertstate, severity, ...subject }) => subject,
      ),
    }))
    .sort((a, b) => Number(isCritical(b)) - Number(isCritical(a)) || (a.name < b.name ? -1 : 1));
}

function numberOf({ value: [, text] }: Sample): number {
  return Number(text);
}

function versionOf({ metric }: Sample): string {
  return metric.version ?? '';
}

function isCritical({ severity }: { severity: string }): boolean {
  return severity === 'critical';
}

function stateOf({
  alerts,
  down,
  versions,
  delivery,
  conditions,
}: Pick<
  RackHealth,
  'alerts' | 'down' | 'versions' | 'delivery' | 'conditions'
>): RackHealth['state'] {
  if (alerts.some(isCritical) || down.length > 0) return 'critical';
  const all = Object.values(conditions).reduce((sum, each) => sum + each, 0);
  if (areMany(silentIn(conditions), all) || areMany(unfitIn(conditions), all)) return 'critical';
  if (alerts.length > 0 || delivery === 'failing' || delivery === 'silent') return 'warning';
  return Object.keys(versions).length === 0 || conditions.unknown ? 'unknown' : 'ok';
}

/** Without fields that are undefined or not a number. */
function defined<T extends Record<string, number | undefined>>(
  fields: T,
): Partial<Record<keyof T, number>> {
  const entries = Object.entries(fields).filter(([, value]) => Number.isFinite(value));
  return Object.fromEntries(entries) as Partial<Record<keyof T, number>>;
}
