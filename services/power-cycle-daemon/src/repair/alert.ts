/** Alerts from Alertmanager's webhook (version 4), and the machine that each concerns. */
import type { powerCycleDaemonApi } from '@skolo/api';
import { isOfRack, normaliseAddress } from '@skolo/common';
import type { Machine, Rack } from '@skolo/rack';
import type { z } from 'zod';
import { machineAt } from '../rules/targets.ts';

export type Alert = z.output<typeof powerCycleDaemonApi.alerts.body>['alerts'][number];

/**
 * The label `machine`, else the host of `instance`; by name, with or without the rack's domain, or by address. Undefined if the label `rack`
 * names another rack.
 */
export function machineOf(rack: Rack, labels: Record<string, string>): Machine | undefined {
  const { machine, instance } = labels;
  const written = machine ?? (instance && hostOf(instance));
  if (written === undefined || !isOfRack(rack, labels)) return undefined;
  const domain = `.${rack.network.domain}`;
  const name = written.endsWith(domain) ? written.slice(0, -domain.length) : written;
  const byName = rack.machines.get(name);
  if (byName !== undefined) return byName;
  const address = normaliseAddress(written);
  return address === undefined ? undefined : machineAt(rack, address);
}

/** `rpi-001:9100`, `http://rpi-001:9100/metrics`, `[fd00::1]:9100` */
function hostOf(instance: string): string {
  const [authority = ''] = instance.replace(/^\w+:\/\//, '').split('/', 1);
  const [, bracketed] = /^\[(.*)\](?::\d+)?$/.exec(authority) ?? [];
  return bracketed ?? authority.replace(/:\d+$/, '');
}
