/**
 * PoE ports of a MikroTik with RouterOS 7, over its REST API (`transport: http`).
 *
 *     switch-3: { model: routeros, transport: http, https: true, address: 192.168.1.60, portCount: 8, login: mikrotik }
 *
 * Verified with: our simulator. Independent software: none (curl was asked by hand).
 *
 * Quirks. Every value comes as text. Some devices require `forced-on`, and `auto-on` would leave them without power: it is reported as the
 * mode and restored. The built-in power cycle leaves `poe-out` unchanged; only the monitor shows that the power is off. Models that cannot
 * measure report no `poe-out-power`. Plain http requires 7.9.
 *
 * `numbers` of a command is a checked port; without it a command of the console would ask for it, and REST rejects.
 *
 * Source: help.mikrotik.com, "REST API" and "PoE-Out".
 */

import { parseJson } from '@skolo/base';
import { DeviceRejected, httpTo, readJson } from '@skolo/equipment';
import { z } from 'zod';
import type { Device } from '../contract/device.ts';
import type { DriverDeps, OutletDriver } from '../contract/outlets.ts';
import { ifSupported, unneeded, unneededList } from '../families/unneeded.ts';
import { isOnMode, poeReading } from './poe.ts';

const menu = '/rest/interface/ethernet/poe';
const Row = z.object({
  '.id': z.string().regex(/^\*[0-9A-F]+$/i),
  name: z.string(),
  'poe-out': z.string(),
});
type Row = z.infer<typeof Row>;
const Monitored = z.object({
  name: z.string(),
  'poe-out-status': unneeded(z.string()),
  'poe-out-power': unneeded(z.coerce.number()),
});
type Monitored = z.infer<typeof Monitored>;
const Cycled = z.union([z.array(z.unknown()), z.record(z.string(), z.unknown())]);
const ErrorBody = z.object({ message: z.string().optional(), detail: z.string().optional() });

export function routerosRest(device: Device, deps: DriverDeps): OutletDriver<string> {
  const { name } = device;
  const send = httpTo(device, deps, {
    https: device.options.https === true,
    signIn: 'basic',
    reason: reasonOf,
  });
  const headers = { 'content-type': 'application/json' };

  async function rowsOf(
    ports: readonly string[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, Row>> {
    return rowsIn(name, (await send({ path: menu }, signal)).body, ports);
  }

  async function post(
    command: string,
    args: Readonly<Record<string, string>>,
    signal: AbortSignal,
    timeoutMs?: number,
  ): Promise<string> {
    const body = JSON.stringify(args);
    const path = `${menu}/${command}`;
    const limit = timeoutMs === undefined ? {} : { timeoutMs };
    return (await send({ method: 'POST', path, headers, body, ...limit }, signal)).body;
  }

  async function monitor(
    ports: readonly string[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, Monitored>> {
    const body = await post('monitor', { numbers: ports.join(','), once: '' }, signal);
    const rows = readJson(name, body, unneededList(Monitored), 'the state of its PoE ports');
    return new Map(rows.flatMap((row) => (row === undefined ? [] : [[row.name, row]])));
  }

  return {
    key: (outlet) => outlet,
    isMode: isOnMode,
    async read(ports, signal) {
      const rows = await rowsOf(ports, signal);
      const monitored = await ifSupported(monitor(ports, signal));
      return (port) => {
        const { 'poe-out-status': status, 'poe-out-power': watts } = monitored?.get(port) ?? {};
        const { '.id': via, 'poe-out': setting = '' } = rows.get(port) ?? {};
        return { ...poeReading(setting, status, watts), via };
      };
    },
    async set(port, state, signal, mode = 'auto-on', via) {
      const setting = state === 'on' ? mode : 'off';
      const rows = via === undefined ? rowsOf([port], signal) : Promise.resolve(undefined);
      const read = state === 'on' ? ifSupported(rows) : rows;
      // Without an ID, the name identifies the row as well.
      const id = via ?? (await read)?.get(port)?.['.id'] ?? port;
      const body = JSON.stringify({ 'poe-out': setting });
      const path = `${menu}/${encodeURIComponent(id).replaceAll('%2A', '*')}`;
      const answer = await send({ method: 'PATCH', path, headers, body }, signal);
      const changed = readJson(name, answer.body, Row, 'the new setting of the port');
      if (changed.name === port && changed['poe-out'] === setting) return;
      throw new DeviceRejected(name, `the response does not confirm that ${port} is ${setting}`);
    },
    cycle: {
      offSeconds: { least: 1, most: 60 },
      async run(port, offSeconds, signal) {
        const duration = `${Math.round(offSeconds)}s`;
        await rowsOf([port], signal);
        // It is unknown whether every version responds immediately, or when the power is back.
        const timeoutMs = (offSeconds + 5) * 1000;
        const body = await post('power-cycle', { numbers: port, duration }, signal, timeoutMs);
        readJson(name, body, Cycled, 'a confirmation of the power cycle');
      },
    },
  };
}

/** @throws DeviceRejected One of the ports is missing. */
function rowsIn(device: string, body: string, ports: readonly string[]): ReadonlyMap<string, Row> {
  const all = readJson(device, body, z.array(unneeded(Row)), 'the PoE ports');
  const rows = all.filter((row) => row !== undefined);
  for (const port of ports) {
    if (rows.filter((row) => row.name === port).length === 1) continue;
    throw new DeviceRejected(device, `${port} does not support PoE, or has a different name`);
  }
  return new Map(rows.map((row) => [row.name, row]));
}

function reasonOf(body: string): string | undefined {
  const error = ErrorBody.safeParse(parseJson(body)).data;
  return error?.detail ?? error?.message;
}
