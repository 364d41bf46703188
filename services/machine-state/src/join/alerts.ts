/** Firing alerts, by the machine that they are about. */
import type { KnownAlert, MachineAlert } from '@skolo/api';
import type { Rack } from '@skolo/rack';
import { given } from './machine.ts';

export interface SortedAlerts {
  machines: ReadonlyMap<string, MachineAlert[]>;
  /** Of no machine. */
  others: MachineAlert[];
}

export function sortAlerts(rack: Rack, alerts: readonly KnownAlert[] = []): SortedAlerts {
  const machines = new Map<string, MachineAlert[]>();
  const others: MachineAlert[] = [];
  for (const alert of alerts) {
    const shown = shownAlert(alert);
    const { machine } = alert.labels;
    if (machine === undefined || !rack.machines.has(machine)) others.push(shown);
    else machines.set(machine, [...(machines.get(machine) ?? []), shown]);
  }
  return { machines, others };
}

function shownAlert({ labels, annotations, startsAt }: KnownAlert): MachineAlert {
  const { alertname = 'without a name', severity, device } = labels;
  return {
    name: alertname,
    since: startsAt,
    ...given({ severity, device, summary: annotations.summary }),
  };
}
