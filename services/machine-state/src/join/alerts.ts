/** Assigns firing alerts to the machine that they concern, except those of other racks, which may share an Alertmanager with this one. */
import { subjectOf } from '@skolo/alerts/subject';
import type { KnownAlert, MachineAlert } from '@skolo/api';
import { isOfRack } from '@skolo/common';
import type { Rack } from '@skolo/rack';
import { given } from './machine.ts';

/** Number shown per machine, or without one: a machine may cause alerts by its own metrics. */
const mostAlerts = 200;

interface SortedAlerts {
  machines: ReadonlyMap<string, MachineAlert[]>;
  /** Without a machine. */
  others: MachineAlert[];
}

export function sortAlerts(rack: Rack, alerts: readonly KnownAlert[] = []): SortedAlerts {
  const machines = new Map<string, MachineAlert[]>();
  const others: MachineAlert[] = [];
  for (const alert of alerts) {
    if (!isOfRack(rack, alert.labels)) continue;
    const { machine } = alert.labels;
    const isKnown = machine !== undefined && rack.machines.has(machine);
    const list = isKnown ? (machines.get(machine) ?? []) : others;
    if (isKnown) machines.set(machine, list);
    if (list.length < mostAlerts) list.push(shownAlert(alert));
  }
  return { machines, others };
}

function shownAlert({ labels, annotations, startsAt }: KnownAlert): MachineAlert {
  const { alertname = 'without a name', severity, device } = labels;
  const { summary, first_command: firstCommand } = annotations;
  return {
    name: alertname,
    since: startsAt,
    about: subjectOf(labels),
    ...given({ severity, device, summary, firstCommand }),
  };
}
