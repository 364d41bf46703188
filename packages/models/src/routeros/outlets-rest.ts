/**
 * PoE ports of a MikroTik with RouterOS 7, over its REST API (`transport: http`).
 *
 *     switch-3: { model: routeros, transport: http, https: true, address: 192.168.1.60, portCount: 8, login: mikrotik }
 *
 * Proven against: own simulator. Independent software: none (curl was asked by hand). Hardware: none.
 *
 * Oddities. Every value comes as text. `forced-on` is what some devices need, `auto-on` would leave them dark: it is told as
 * the mode and restored. A power cycle of its own leaves `poe-out` as it is, only the monitor tells that the power is off.
 * Models that cannot measure tell no `poe-out-power`. Plain http needs 7.9.
 *
 * `numbers` of a command is a checked port; without it a command of the console would ask for it, and REST refuses.
 *
 * Source: help.mikrotik.com, "REST API" and "PoE-Out".
 */
import { DeviceRefused, httpTo, jsonOf, readJson } from '@skolo/equipment';
import { z } from 'zod';
import type { Device } from '../device.ts';
import { outletName } from '../families/outlet-name.ts';
import {
  type DriverDeps,
  type OutletReading,
  offSecondsWithin,
  type PowerDriver,
} from '../outlets.ts';
import { faultIn } from './poe-faults.ts';

const menu = '/rest/interface/ethernet/poe';
const onModes = ['auto-on', 'forced-on'] as const;
const range = { least: 1, most: 60 };
const Row = z.object({
  '.id': z.string().regex(/^\*[0-9A-F]+$/i),
  name: z.string(),
  'poe-out': z.enum(['off', ...onModes]),
});
type Row = z.infer<typeof Row>;
const Monitored = z.object({
  name: z.string(),
  'poe-out-status': z.string(),
  'poe-out-power': z.coerce.number().optional(),
});
type Monitored = z.infer<typeof Monitored>;
const ErrorBody = z.object({ message: z.string().optional(), detail: z.string().optional() });

export function routerosRest(device: Device, deps: DriverDeps): PowerDriver {
  const { name } = device;
  const send = httpTo(device, deps, {
    https: device.options.https === true,
    signIn: 'basic',
    reason: reasonOf,
  });
  const headers = { 'content-type': 'application/json' };

  async function rowsOf(ports: readonly string[], signal: AbortSignal): Promise<Row[]> {
    const { body } = await send({ path: menu }, signal);
    const rows = readJson(name, body, z.array(Row), 'its PoE ports');
    return ports.map((port) => {
      const found = rows.filter((row) => row.name === port);
      if (found[0] && found.length === 1) return found[0];
      throw new DeviceRefused(name, `${port} has no PoE, or another name`);
    });
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
    const rows = readJson(name, body, z.array(Monitored), 'what its PoE ports deliver');
    return new Map(rows.map((row) => [row.name, row]));
  }

  async function set(
    outlet: string,
    mode: 'off' | (typeof onModes)[number],
    signal: AbortSignal,
  ): Promise<void> {
    const port = outletName(device, outlet);
    const [row] = await rowsOf([port], signal);
    const body = JSON.stringify({ 'poe-out': mode });
    const path = `${menu}/${row?.['.id']}`;
    const answer = await send({ method: 'PATCH', path, headers, body }, signal);
    const told = readJson(name, answer.body, Row, 'the port that was set');
    if (told.name === port && told['poe-out'] === mode) return;
    throw new DeviceRefused(name, `its answer does not say that ${port} is ${mode}`);
  }

  return {
    async read(outlets, signal) {
      const ports = outlets.map((outlet) => outletName(device, outlet));
      const rows = await rowsOf(ports, signal);
      const monitored = await monitor(ports, signal);
      return new Map(
        rows.map((row, index) => {
          return [outlets[index] ?? row.name, readingOf(row, monitored.get(row.name))];
        }),
      );
    },
    turnOff: (outlet, signal) => set(outlet, 'off', signal),
    async turnOn(outlet, mode = 'auto-on', signal) {
      const known = onModes.find((candidate) => candidate === mode);
      if (known === undefined) throw new DeviceRefused(name, `poe-out knows no ${mode}`);
      await set(outlet, known, signal);
    },
    nativeCycle: {
      offSeconds: range,
      async run(outlet, offSeconds, signal) {
        const port = outletName(device, outlet);
        const duration = `${Math.round(offSecondsWithin(name, offSeconds, range))}s`;
        await rowsOf([port], signal);
        // Nothing tells whether every version answers at once, or when the power is back.
        const timeoutMs = (offSeconds + 5) * 1000;
        const body = await post('power-cycle', { numbers: port, duration }, signal, timeoutMs);
        readJson(
          name,
          body,
          z.union([z.array(z.unknown()), z.record(z.string(), z.unknown())]),
          'that it cycles the port',
        );
      },
    },
    close: async () => {},
  };
}

function readingOf(row: Row, monitored: Monitored | undefined): OutletReading {
  const status = monitored?.['poe-out-status'];
  const watts = monitored?.['poe-out-power'];
  const isCycling = /^power[-_]reset$/.test(status ?? '');
  const isOn = row['poe-out'] !== 'off' && !isCycling;
  return {
    state: isOn ? 'on' : 'off',
    ...(status !== undefined && { delivering: status === 'powered-on' }),
    ...(isOn && faultIn(status)),
    ...(watts !== undefined && { watts }),
    ...(isOn && { mode: row['poe-out'] }),
  };
}

function reasonOf(body: string): string | undefined {
  const told = ErrorBody.safeParse(jsonOf(body)).data;
  return told?.detail ?? told?.message;
}
