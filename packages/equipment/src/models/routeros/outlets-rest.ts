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
import { DeviceRejected, httpTo, readJson } from '@skolo/equipment/transports';
import { z } from 'zod';
import type { Device } from '../contract/device.ts';
import { type DriverDeps, type OutletDriver, readBriefly } from '../contract/outlets.ts';
import { ifSupported, unneeded, unneededList } from '../families/unneeded.ts';
import { isOnMode, poeReading } from './poe.ts';

const menu = '/rest/interface/ethernet/poe';
const Changed = z.object({ name: z.string(), 'poe-out': z.string() });
const Row = Changed.extend({ '.id': z.string().regex(/^\*[0-9A-F]+$/i) });
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

  /** The rows by port, each of which throws DeviceRejected if it is missing. */
  async function rows(signal: AbortSignal): Promise<(port: string) => Row> {
    const { body } = await send({ path: menu }, signal);
    const all = readJson(name, body, z.array(unneeded(Row)), 'the PoE ports');
    return (port) => {
      const [row, ...more] = all.filter((each) => each?.name === port);
      if (row !== undefined && more.length === 0) return row;
      throw new DeviceRejected(name, `${port} does not support PoE, or has a different name`);
    };
  }

  async function idOf(port: string, signal: AbortSignal): Promise<string> {
    return (await rows(signal))(port)['.id'];
  }

  async function post(
    command: string,
    json: Readonly<Record<string, string>>,
    signal: AbortSignal,
    timeoutMs?: number,
  ): Promise<string> {
    const path = `${menu}/${command}`;
    const limit = timeoutMs === undefined ? {} : { timeoutMs };
    return (await send({ method: 'POST', path, json, ...limit }, signal)).body;
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
      const rowOf = await rows(signal);
      const monitored = await ifSupported(monitor(ports, signal));
      return (port) => {
        const { 'poe-out-status': status, 'poe-out-power': watts } = monitored?.get(port) ?? {};
        const { '.id': via, 'poe-out': setting } = rowOf(port);
        return { ...poeReading(setting, status, watts), via };
      };
    },
    async set(port, state, signal, mode = 'auto-on', via) {
      const setting = state === 'on' ? mode : 'off';
      const read = (own: AbortSignal) => idOf(port, own);
      const known =
        via ?? (await (state === 'on' ? readBriefly(name, signal, read) : read(signal)));
      // Without an ID, the name identifies the row as well.
      const id = known ?? port;
      const json = { 'poe-out': setting };
      const path = `${menu}/${encodeURIComponent(id).replaceAll('%2A', '*')}`;
      const answer = await send({ method: 'PATCH', path, json }, signal);
      const changed = readJson(name, answer.body, Changed, 'the new setting of the port');
      if (changed.name === port && changed['poe-out'] === setting) return;
      throw new DeviceRejected(name, `the response does not confirm that ${port} is ${setting}`);
    },
    cycle: {
      offSeconds: { least: 1, most: 60 },
      async run(port, offSeconds, signal) {
        const duration = `${Math.round(offSeconds)}s`;
        await idOf(port, signal);
        // It is unknown whether every version responds immediately, or when the power is back.
        const timeoutMs = (offSeconds + 5) * 1000;
        const body = await post('power-cycle', { numbers: port, duration }, signal, timeoutMs);
        readJson(name, body, Cycled, 'a confirmation of the power cycle');
      },
    },
  };
}

function reasonOf(body: string): string | undefined {
  const error = ErrorBody.safeParse(parseJson(body)).data;
  return error?.detail ?? error?.message;
}
