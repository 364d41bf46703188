/** How a rack is, by one question to its Prometheus: pure. */
import { z } from 'zod';

/**
 * What is asked, by a name that the answer carries. Machines are those of the recording rule of kube/base/prometheus; what is
 * wrong with them in particular is in the alerts.
 */
const figures = {
  services: 'skolo_build_info{job!~"swarming-client|node"}',
  agents: 'max by (version) (skolo_machines_agents{job="machine-state"})',
  down: 'up{job=~"metadata-server|power-cycle-daemon|router-backup|alert-to-pubsub|machine-state|alertmanager"} == 0',
  alerts:
    'count by (alertname, severity) (ALERTS{alertstate="firing", alertname!="Watchdog", severity!="info"})',
  machines: 'count(machine:seen:max3m{machine!="JUMPHOST"})',
  silent: 'count(machine:seen:max3m{machine!="JUMPHOST"} == 0)',
  // A task may answer instead of the agent of its machine, with NaN for example: it counts for that machine alone.
  health: 'count by (verdict) (skolo_swarming_health{job="swarming-client"} == 1)',
  tasks: 'sum(skolo_swarming_task_running{job="swarming-client"} == bool 1)',
  tasksEnded:
    'sum(increase(skolo_swarming_tasks_ended_total{job="swarming-client"}[WINDOW]) < 1e5)',
  tasksFailed:
    'sum(increase(skolo_swarming_tasks_ended_total{job="swarming-client", outcome!="succeeded"}[WINDOW]) < 1e5)',
  held: 'skolo_power_machines_held{job="power-cycle-daemon"}',
  controllers: 'count(skolo_power_controller_up{job="power-cycle-daemon"})',
  controllersUp: 'sum(skolo_power_controller_up{job="power-cycle-daemon"})',
  token: 'min(skolo_metadata_token_remaining_seconds{job="metadata-server"})',
  backupAge: 'time() - min(skolo_backup_last_success_timestamp_seconds{job="router-backup"})',
  waiting: 'max(skolo_alerts_spool_depth{job="alert-to-pubsub"})',
  spool:
    'max(skolo_alerts_spool_bytes{job="alert-to-pubsub"} / skolo_alerts_spool_max_bytes{job="alert-to-pubsub"})',
  // Of each disk of the jumphost.
  disk: 'max(1 - node_filesystem_avail_bytes{job="node", machine="JUMPHOST", fstype!~"tmpfs|ramfs|overlay|squashfs"} / node_filesystem_size_bytes{job="node"})',
  // By /run/reboot-required, as node-exporter of kube/base has it.
  reboots: 'sum(max by (machine) (node_reboot_required{job="node"}) == bool 1)',
  certificate:
    'min(skolo_tls_certificate_expiry_timestamp_seconds{job!~"swarming-client|node"}) - time()',
};

type Figure = keyof typeof figures;

/** For tasks that ended. */
const usualWindowSeconds = 3600;

/**
 * What Prometheus is asked, by the names of figures: PromQL.
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

/** All of it at once: the path of Prometheus' API, with the query. */
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

/** Absent: Prometheus does not know it. */
export interface RackHealth {
  /** Worst first: `unknown` where Prometheus has no metric of any service. */
  state: 'critical' | 'warning' | 'unknown' | 'ok';
  /** By service; several while it is replaced. */
  versions: Record<string, string[]>;
  /** Versions of agents, and on how many machines. */
  agents: Record<string, number>;
  /** Services that do not respond to Prometheus. */
  down: string[];
  /** That fire, without those for the record. */
  alerts: { name: string; severity: string; count: number }[];
  machines?: { all: number; silent: number; held: number };
  /** Machines by the verdict of their agent: ok, recovering, maintenance, quarantined. */
  health: Record<string, number>;
  tasks?: number;
  /** In the last hour, or in the time that was asked for. */
  tasksEnded?: { all: number; failed: number };
  /** Computers that ask for a reboot, after an update of their kernel for example. */
  reboots?: number;
  controllers?: { all: number; up: number };
  /** Life left in the token that expires first, seconds. */
  tokenSeconds?: number;
  /** Since the backup of the device that was read longest ago, seconds. */
  backupSeconds?: number;
  /** Messages that wait for a sink. */
  waiting?: number;
  /** Used parts, 0 to 1: of the spool, and of the fullest disk of the jumphost. */
  spool?: number;
  disk?: number;
  /** Until the first certificate expires, seconds. */
  certificateSeconds?: number;
}

/**
 * Reads the answer.
 *
 * @throws z.ZodError @throws SyntaxError It is not Prometheus' answer.
 */
export function readHealth(text: string): RackHealth {
  const { result } = Answer.parse(JSON.parse(text)).data;
  const of = (name: Figure) => result.filter(({ metric }) => metric.figure === name);
  const one = (name: Figure) => of(name).map(numberOf)[0];
  const by = (name: Figure, label: string) =>
    Object.fromEntries(of(name).map((sample) => [sample.metric[label] ?? '', numberOf(sample)]));
  const versions = Map.groupBy(of('services'), ({ metric }) => metric.service ?? '');
  const machines = one('machines');
  const controllers = one('controllers');
  const ended = one('tasksEnded');
  const facts = {
    versions: Object.fromEntries(
      [...versions].map(([service, all]) => [service, [...new Set(all.map(versionOf))].sort()]),
    ),
    agents: by('agents', 'version'),
    down: of('down').map(({ metric }) => metric.job ?? ''),
    alerts: of('alerts')
      .map((sample) => ({
        name: sample.metric.alertname ?? '',
        severity: sample.metric.severity ?? '',
        count: numberOf(sample),
      }))
      .sort((a, b) => Number(isCritical(b)) - Number(isCritical(a)) || (a.name < b.name ? -1 : 1)),
    health: by('health', 'verdict'),
    ...(machines !== undefined && {
      machines: { all: machines, silent: one('silent') ?? 0, held: one('held') ?? 0 },
    }),
    ...(ended !== undefined && {
      // Prometheus extrapolates.
      tasksEnded: { all: Math.round(ended), failed: Math.round(one('tasksFailed') ?? 0) },
    }),
    ...(controllers !== undefined && {
      controllers: { all: controllers, up: one('controllersUp') ?? 0 },
    }),
    ...defined({
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
  return { state: stateOf(facts), ...facts };
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
}: Pick<RackHealth, 'alerts' | 'down' | 'versions'>): RackHealth['state'] {
  if (alerts.some(isCritical) || down.length > 0) return 'critical';
  if (alerts.length > 0) return 'warning';
  return Object.keys(versions).length === 0 ? 'unknown' : 'ok';
}

/** Without fields that are undefined or no number. */
function defined<T extends Record<string, number | undefined>>(
  fields: T,
): Partial<Record<keyof T, number>> {
  const entries = Object.entries(fields).filter(([, value]) => Number.isFinite(value));
  return Object.fromEntries(entries) as Partial<Record<keyof T, number>>;
}
