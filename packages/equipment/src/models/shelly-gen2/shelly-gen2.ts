/**
 * Shelly plug or relay of the second generation and later, by JSON-RPC over HTTP. Switches are counted from 0.
 *
 *     plug-3: { model: shelly-gen2, address: 192.168.1.33, outlets: 4, login: plugs }
 *
 * Verified with: our simulator, which labgrid's backend shelly_gen2 switched and read (26.0.1, in a test where labgrid has
 * it) and which lets curl in by digest with SHA-256. `toggle_after` and Shelly.GetStatus: by nobody else.
 *
 * Quirks. The user is always `admin`. Errors of `/rpc` come with status 200 in the frame. An "auto off" set in its own
 * menu turns a switch off again some time after it was turned on.
 *
 * Source: shelly-api-docs.shelly.cloud/gen2 (RPCProtocol, Authentication, Switch; `initial_state`: off, on, restore_last, match_input).
 */

import type { Credentials } from '@skolo/base/secrets';
import { type Access, DeviceRejected, httpTo, readJson } from '@skolo/equipment/transports';
import { z } from 'zod';
import type { Device } from '../contract/device.ts';
import { type DriverDeps, driverKind, type OutletDriver } from '../contract/outlets.ts';
import { checkCount } from '../families/outlet-count.ts';
import { unneeded } from '../families/unneeded.ts';

export const outlets = driverKind({ model: 'shelly-gen2', automaticRepair: false, create });

const Failure = z.object({ code: unneeded(z.number()), message: z.string().catch('') });
const Frame = z.object({
  id: unneeded(z.number()),
  result: z.unknown().optional(),
  error: Failure.nullish(),
});
const Switch = z.object({
  id: unneeded(z.number()),
  output: z.boolean(),
  apower: unneeded(z.number()),
});
const Info = z.object({
  model: z.string().optional(),
  ver: z.string().optional(),
  profile: unneeded(z.string()),
});
const Components = z.record(z.string(), z.unknown());
const Configured = z.object({ name: z.string().nullish(), initial_state: z.string().optional() });
const Switched = z.object({ was_on: z.boolean() });

/** It only has one user. */
function asAdmin<A extends Access>(access: A): A {
  const named = (each: Credentials) => ({ username: 'admin', ...each });
  return {
    ...access,
    async credentials() {
      const { others = [], ...first } = await access.credentials();
      return { ...named(first), others: others.map(named) };
    },
  };
}

function rpcTo(device: Device, deps: DriverDeps) {
  const { name } = device;
  const send = httpTo(device, asAdmin(deps), { signIn: 'digest' });
  let lastId = 0;
  return {
    async call(method: string, params: object, signal: AbortSignal): Promise<unknown> {
      lastId += 1;
      const id = lastId;
      const json = { id, method, params };
      const answer = await send({ method: 'POST', path: '/rpc', json }, signal);
      const frame = readJson(name, answer.body, Frame, `the result of ${method}`);
      if (frame.error) {
        const { code, message } = frame.error;
        const what = `${method} failed: ${message.slice(0, 200)} (${code ?? 'no code'})`;
        throw new DeviceRejected(name, what);
      }
      // A change is confirmed by its own number; a state is that of the switch, whatever the frame says.
      const isState = method === 'Shelly.GetStatus';
      if (frame.id === id || (frame.id === undefined && isState)) return frame.result;
      throw new DeviceRejected(name, 'the response belongs to another request');
    },
    async get<T>(what: string, schema: z.ZodType<T>, signal: AbortSignal): Promise<T> {
      const path = `/rpc/Shelly.${what}`;
      return readJson(name, (await send({ path }, signal)).body, schema, path);
    },
  };
}

function create(device: Device, deps: DriverDeps): OutletDriver<number> {
  const { name } = device;
  const { call, get } = rpcTo(device, deps);

  async function set(id: number, params: object, signal: AbortSignal): Promise<void> {
    const result = await call('Switch.Set', { id, ...params }, signal);
    if (Switched.safeParse(result).success) return;
    throw new DeviceRejected(name, `the response does not confirm that switch ${id} was changed`);
  }

  return {
    key: Number,
    async read(_ids, signal) {
      const status = Components.safeParse(await call('Shelly.GetStatus', {}, signal));
      if (!status.success) throw new DeviceRejected(name, 'does not report its state');
      return (id) => {
        const found = Switch.safeParse(status.data[`switch:${id}`]).data;
        if (found === undefined || (found.id ?? id) !== id) return { state: 'unknown' };
        return { state: found.output ? 'on' : 'off', watts: found.apower };
      };
    },
    async report(_ids, signal) {
      const info = await get('GetDeviceInfo', Info, signal);
      const components = await get('GetConfig', Components, signal);
      // Those from 100 on belong to an add-on.
      const count = Object.keys(components).filter((key) => /^switch:\d\d?$/.test(key)).length;
      const linked = info.profile === 'cover' ? 'profile is cover' : undefined;
      if (linked === undefined) checkCount(device, count, 'switch', 'switches');
      return {
        hardware: info.model,
        firmware: info.ver,
        linked,
        of(id) {
          const found = Configured.safeParse(components[`switch:${id}`]).data;
          const isOff = found?.initial_state === 'off';
          return {
            name: found?.name ?? undefined,
            staysOff: isOff ? 'initial_state is off' : undefined,
          };
        },
      };
    },
    set: (id, state, signal) => set(id, { on: state === 'on' }, signal),
    cycle: {
      offSeconds: { least: 1, most: 3600 },
      run: (id, toggle_after, signal) => set(id, { on: false, toggle_after }, signal),
    },
  };
}
