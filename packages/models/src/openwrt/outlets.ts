/**
 * OpenWrt switch with realtek-poe: ports are turned off and on by `ubus`, over ssh.
 *
 *     switch-4: { model: openwrt, address: 192.168.1.61, login: openwrt, portCount: 8 }
 *     logins: { openwrt: { username: root, privateKey: secrets/id_ed25519 } }
 *
 * Proven against: own simulator, which OpenSSH has spoken to as well. Independent software that speaks to this daemon: none.
 * Hardware: none.
 *
 * Versions of the daemon before 2025 answer with status 12 to what they have carried out: only the reading shows it. On some
 * hardware the daemon reports `unknown` for every port: then nothing can be proven, and nothing is guessed (its issue 10).
 *
 * Source: realtek-poe, src/main.c (`ubus_poe_info_cb`, `ubus_poe_manage_cb`).
 */
import { DeviceRefused, readJson } from '@skolo/equipment';
import { z } from 'zod';
import type { Device } from '../contract/device.ts';
import {
  type DriverDeps,
  driverKind,
  type OutletDriver,
  type OutletReading,
} from '../contract/outlets.ts';
import { outputOf, shellOf } from '../families/command-line/session.ts';
import { outletName } from '../families/outlet-name.ts';

export const outlets = driverKind({ model: 'openwrt', experimental: true, create });

const Port = z.object({ status: z.string(), consumption: z.number().optional() });
const Info = z.object({ ports: z.record(z.string(), Port) });

/** UBUS_STATUS_PARSE_ERROR... of an answer, not of the request. */
const answerNotParsed = 12;
const infoCommand = 'ubus call poe info';

function create(device: Device, deps: DriverDeps): OutletDriver<string> {
  const { name } = device;
  const use = shellOf(device, deps);

  return {
    key: (outlet) => outletName(device, outlet),
    async read(_ports, signal) {
      const text = await use((shell) => outputOf(shell, infoCommand), signal);
      const { ports } = readJson(name, text, Info, 'its PoE ports');
      return (port) => {
        const status = Object.hasOwn(ports, port) ? ports[port] : undefined;
        if (status === undefined) throw new DeviceRefused(name, `${port} has no PoE`);
        return readingOf(status);
      };
    },
    async set(port, state, signal) {
      const message = JSON.stringify({ port, enable: state === 'on' });
      const command = `ubus call poe manage '${message}'`;
      await use((shell) => outputOf(shell, command, answerNotParsed), signal);
    },
  };
}

const onWithoutPower = new Set(['Searching', 'Requesting power', 'Test']);
const faults = new Set(['Fault', 'Other fault']);

function readingOf({ status, consumption: watts }: z.infer<typeof Port>): OutletReading {
  if (status === 'Disabled') return { state: 'off', delivering: false, watts };
  if (status === 'Delivering power') return { state: 'on', delivering: true, watts };
  if (onWithoutPower.has(status)) return { state: 'on', delivering: false, watts };
  if (faults.has(status)) return { state: 'on', delivering: false, fault: status, watts };
  return { state: 'unknown' };
}
