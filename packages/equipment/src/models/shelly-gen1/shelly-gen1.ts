/**
 * Shelly plug or relay of the first generation, over HTTP. Relays are counted from 0.
 *
 *     plug-2: { model: shelly-gen1, address: 192.168.1.32, login: plugs }
 *
 * Verified with: our simulator, which labgrid's backend shelly_gen1 switched and read (26.0.1, in a test where labgrid has it). The timer
 * of `nativeCycle`: by nobody else.
 *
 * Quirks. Some models measure all relays together (fewer meters than relays), and Shelly 1 reports 0 W for a meter that it does not have:
 * watts are only used if `/shelly` counts as many meters as relays. An "auto off" set in its own menu turns a relay off again some time
 * after it was turned on.
 *
 * Source: shelly-api-docs.shelly.cloud/gen1 (`default_state` in `/settings`: off, on, last, switch).
 */

import { DeviceRejected, httpTo, readJson } from '@skolo/equipment/transports';
import { z } from 'zod';
import type { Device } from '../contract/device.ts';
import { type DriverDeps, driverKind, type OutletDriver } from '../contract/outlets.ts';
import { checkCount } from '../families/outlet-count.ts';
import { ifSupported, unneeded, unneededList } from '../families/unneeded.ts';

export const outlets = driverKind({ model: 'shelly-gen1', automaticRepair: false, create });

const Identity = z.object({
  type: unneeded(z.string()),
  /** `20230913-114244/v1.14.0-gcb84623` */
  fw: unneeded(z.string()),
  gen: unneeded(z.number()),
  num_meters: unneeded(z.int()),
});
const Relay = z.object({ ison: z.boolean(), has_timer: unneeded(z.boolean()) });
const Settings = z.object({
  mode: unneeded(z.string()),
  relays: z.array(z.object({ name: z.string().nullish(), default_state: z.string().optional() })),
});
const Status = z.object({
  relays: z.array(unneeded(z.object({ ison: z.boolean() }))),
  meters: unneededList(z.object({ power: z.number(), is_valid: z.boolean().default(true) })),
});

function create(device: Device, deps: DriverDeps): OutletDriver<number> {
  const { name } = device;
  const send = httpTo(device, deps, { signIn: 'basic' });

  async function command(
    relay: number,
    query: string,
    expected: Partial<z.infer<typeof Relay>>,
    signal: AbortSignal,
  ): Promise<void> {
    const path = `/relay/${relay}?${query}`;
    const { body } = await send({ path }, signal);
    const { ison, has_timer } = readJson(name, body, Relay, 'the state of a relay');
    const isTaken = ison === expected.ison && has_timer === (expected.has_timer ?? has_timer);
    if (!isTaken) throw new DeviceRejected(name, `the response does not confirm ${query}`);
  }

  async function identify(signal: AbortSignal): Promise<z.infer<typeof Identity>> {
    const { body } = await send({ path: '/shelly', anonymous: true }, signal);
    return readJson(name, body, Identity, 'the Shelly model');
  }

  function checkGeneration(identity: z.infer<typeof Identity> | undefined): void {
    if (identity?.gen === undefined) return;
    throw new DeviceRejected(
      name,
      `this is a generation ${identity.gen} Shelly; use the model shelly-gen2`,
    );
  }

  return {
    key: Number,
    async read(_relays, signal) {
      const identity = await ifSupported(identify(signal));
      checkGeneration(identity);
      const { body } = await send({ path: '/status' }, signal);
      const { relays, meters } = readJson(name, body, Status, 'the state of its relays');
      const { num_meters: meterCount } = identity ?? {};
      const isMeasured = meterCount === relays.length && meters.length === relays.length;
      return (relay) => {
        const meter = isMeasured ? meters[relay] : undefined;
        const isOn = relays[relay]?.ison;
        const state = isOn === undefined ? 'unknown' : isOn ? 'on' : 'off';
        return { state, watts: meter?.is_valid ? meter.power : undefined };
      };
    },
    async report(_relays, signal) {
      const identity = await identify(signal);
      checkGeneration(identity);
      const { type, fw } = identity;
      const { body } = await send({ path: '/settings' }, signal);
      const { mode, relays } = readJson(name, body, Settings, 'the settings of its relays');
      checkCount(device, relays.length, 'relay');
      return {
        hardware: type,
        firmware: fw?.split('/').at(-1),
        linked: mode === 'roller' ? 'mode is roller' : undefined,
        of: (relay) => ({
          name: relays[relay]?.name ?? undefined,
          staysOff: relays[relay]?.default_state === 'off' ? 'default_state is off' : undefined,
        }),
      };
    },
    set: (relay, state, signal) =>
      command(relay, `turn=${state}`, { ison: state === 'on' }, signal),
    cycle: {
      offSeconds: { least: 1, most: 3600 },
      async run(relay, offSeconds, signal) {
        const query = `turn=off&timer=${Math.round(offSeconds)}`;
        await command(relay, query, { ison: false, has_timer: true }, signal);
      },
    },
  };
}
