/** The metrics of machine-state. All names and labels are declared here; the alert rules use them. */
import {
  type Machine,
  MachineCondition,
  type RackView,
  type ServiceState,
  type WaitingPi,
} from '@skolo/api';
import { incidentsOf } from '@skolo/api/silence';
import { type GaugeSpec, registerGauges } from '@skolo/common';
import type { Rack } from '@skolo/rack';
import type { Registry } from 'prom-client';
import type { History } from './history/history.ts';
import type { Losses } from './history/losses.ts';
import type { Recorder } from './history/recorder.ts';
import type { Current } from './join/current.ts';
import type { ReportedOrders } from './orders/reported.ts';

interface Sources {
  rack(): Pick<Rack, 'machines'>;
  current: Pick<Current, 'machines'> & {
    rack(): Pick<RackView, 'services' | 'causes' | 'incidents'>;
  };
  history: Pick<History, 'pending' | 'discarded' | 'isOpen'>;
  losses: Pick<Losses, 'lastWeek'>;
  recorder: Pick<Recorder, 'omitted' | 'endedTasks'>;
  reported: Pick<ReportedOrders, 'notHeard'>;
  enrolment: { waiting(): readonly WaitingPi[] };
}

interface Measured {
  rack: Pick<Rack, 'machines'>;
  machines: readonly Machine[];
  services: readonly ServiceState[];
  causes: RackView['causes'];
  incidents: RackView['incidents'];
  /** Entries of the history that wait for the disk. */
  pending: number;
  discarded: number;
  isHistoryOpen: boolean;
  losses: number | undefined;
  /** By machine. */
  omitted: ReadonlyMap<string, number>;
  /** By outcome. */
  endedTasks: ReadonlyMap<string, number>;
  notHeard: number;
  /** Why each Pi without a name waits. */
  waiting: readonly WaitingPi['code'][];
}

const gauges: Record<string, GaugeSpec<Measured>> = {
  skolo_machines_condition: {
    help: 'Machines by condition.',
    labels: ['condition'],
    read: ({ machines }) =>
      MachineCondition.options.map((condition) => [
        { condition },
        machines.filter((machine) => machine.condition === condition).length,
      ]),
  },
  skolo_machines_gone: {
    help: '1 for each machine whose agent has not responded for `goneSeconds`, unless a common cause explains the silence.',
    labels: ['machine'],
    read: ({ machines }) =>
      machines
        .filter(({ condition, cause }) => condition === 'gone' && cause === undefined)
        .map(({ name }) => [{ machine: name }, 1]),
  },
  skolo_machines_never_reported: {
    help: '1 for each machine in rack.yaml whose agent has never responded.',
    labels: ['machine'],
    read: ({ machines }) =>
      machines
        .filter(({ condition }) => condition === 'never-reported')
        .map(({ name }) => [{ machine: name }, 1]),
  },
  skolo_machines_flapping: {
    help: '1 for each machine whose condition changes too often.',
    labels: ['machine'],
    read: ({ machines }) =>
      machines
        .filter(({ flapping }) => flapping !== undefined)
        .map(({ name }) => [{ machine: name }, 1]),
  },
  skolo_machines_device: {
    help: 'The name of a device in rack.yaml, by its number in the metrics of its agent; always 1.',
    labels: ['machine', 'device', 'name'],
    read: ({ rack }) =>
      [...rack.machines.values()].flatMap(({ name: machine, devices }) =>
        devices
          .filter(({ kind }) => kind !== 'none')
          .map(({ name }, number) => [{ machine, device: String(number), name }, 1] as const),
      ),
  },
  skolo_machines_agents: {
    help: 'Machines by the version of their agent.',
    labels: ['version'],
    read: ({ machines }) => {
      // An agent may report anything, and Prometheus rejects the whole answer because of one long label.
      const versions = machines.flatMap(({ versions }) =>
        versions?.agent === undefined
          ? []
          : (/^\d[\w.+-]{0,30}$/.exec(versions.agent)?.[0] ?? 'other'),
      );
      return [...Map.groupBy(versions, (version) => version)].map(([version, { length }]) => [
        { version },
        length,
      ]);
    },
  },
  skolo_machines_common_cause: {
    help: 'Machines that do not respond, by what they have in common: a switch, PDU, router, shelf, model or version.',
    labels: ['cause'],
    read: ({ machines }) => {
      const codes = machines.flatMap(({ cause }) => cause?.code ?? []);
      return [...Map.groupBy(codes, (code) => code)].map(([cause, { length }]) => [
        { cause },
        length,
      ]);
    },
  },
  skolo_machines_incident: {
    help: 'Machines that have not come back from the incident of a common cause, including those that the cause does not explain.',
    labels: ['cause', 'incident'],
    read: ({ causes, incidents }) =>
      causes.flatMap(({ code: cause, machines }) =>
        incidentsOf(
          machines.map((name) => ({ name })),
          incidents,
        )
          .slice(0, 1)
          .map(({ id: incident, machines }) => [{ cause, incident }, machines.length] as const),
      ),
  },
  skolo_machines_reported_quarantines_waiting: {
    help: 'Machines whose quarantine is missing from the journal, beyond the ten machines whose quarantine was recorded again.',
    read: ({ notHeard }) => notHeard,
  },
  skolo_machines_service_state: {
    help: 'The state of each service, as the console shows it: `unreachable`, `not ready`, `degraded` or `ready`; always 1.',
    labels: ['service', 'state'],
    read: ({ services }) =>
      services.map(({ name: service, state = '' }) => [{ service, state }, 1] as const),
  },
  skolo_machines_history_pending_entries: {
    help: 'Entries that have not been written to the history yet.',
    read: ({ pending }) => pending,
  },
  skolo_machines_history_discarded_entries: {
    help: 'Entries discarded since the start, because too many were waiting while the history could not be written.',
    read: ({ discarded }) => discarded,
  },
  skolo_machines_history_open: {
    help: 'Whether the history can be read and written.',
    read: ({ isHistoryOpen }) => (isHistoryOpen ? 1 : 0),
  },
  skolo_machines_losses_last_week: {
    help: 'How often machines became `gone` in the last seven days; absent while the history cannot be read.',
    read: ({ losses }) => losses ?? [],
  },
  skolo_machines_history_omitted_entries: {
    help: 'Entries that the history omitted in the current hour, because the machine had too many.',
    labels: ['machine'],
    read: ({ omitted }) => [...omitted].map(([machine, count]) => [{ machine }, count]),
  },
  skolo_machines_tasks_ended: {
    help: 'Tasks that have ended since the start, by outcome; `infrastructure`: a power cycle, a reboot or a dead switch ended the task.',
    labels: ['outcome'],
    read: ({ endedTasks }) => [...endedTasks].map(([outcome, count]) => [{ outcome }, count]),
  },
  skolo_machines_waiting_pis: {
    help: 'Raspberry Pis with pending enrolment requests, by reason.',
    labels: ['reason'],
    read: ({ waiting }) =>
      [...new Set(waiting)].map((reason) => [
        { reason },
        waiting.filter((each) => each === reason).length,
      ]),
  },
};

export function createMetrics(
  registry: Registry,
  { rack, current, history, losses, recorder, reported, enrolment }: Sources,
): void {
  registerGauges(registry, gauges, () => ({
    ...current.rack(),
    rack: rack(),
    machines: current.machines(),
    pending: history.pending,
    discarded: history.discarded,
    isHistoryOpen: history.isOpen,
    losses: losses.lastWeek,
    omitted: recorder.omitted(),
    endedTasks: recorder.endedTasks,
    notHeard: reported.notHeard,
    waiting: enrolment.waiting().map(({ code }) => code),
  }));
}
