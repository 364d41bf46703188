/** Alerts of Alertmanager's webhook (version 4), and the machine that each is about. */
import { normaliseAddress } from '@skolo/common';
import type { Machine, Rack } from '@skolo/rack';

export interface Alert {
  status: 'firing' | 'resolved';
  labels: Record<string, string>;
  /** RFC 3339. */
  startsAt: string;
}

const daySeconds = 86_400;

/** The label `machine`, else the host of `instance`; by name, with or without the rack's domain, or by address. */
export function machineOf(rack: Rack, labels: Record<string, string>): Machine | undefined {
  const { machine, instance } = labels;
  const written = machine ?? (instance && hostOf(instance));
  if (written === undefined) return undefined;
  const domain = `.${rack.network.domain}`;
  const name = written.endsWith(domain) ? written.slice(0, -domain.length) : written;
  const byName = rack.machines.get(name);
  if (byName !== undefined) return byName;
  const address = normaliseAddress(written);
  if (address === undefined) return undefined;
  const isThere = (each: Machine) =>
    each.address !== undefined && normaliseAddress(each.address) === address;
  return [...rack.machines.values()].find(isThere);
}

/** `rpi-001:9100`, `http://rpi-001:9100/metrics`, `[fd00::1]:9100` */
function hostOf(instance: string): string {
  const [authority = ''] = instance.replace(/^\w+:\/\//, '').split('/', 1);
  const [, bracketed] = /^\[(.*)\](?::\d+)?$/.exec(authority) ?? [];
  return bracketed ?? authority.replace(/:\d+$/, '');
}

/** How long ago, by a wall clock that may be wrong: a day at most, and never less than nothing. */
export function secondsSince(time: string, now: number): number {
  const seconds = (now - Date.parse(time)) / 1000;
  return Number.isFinite(seconds) ? Math.min(Math.max(0, seconds), daySeconds) : 0;
}
