/**
 * Anything that is switched by HTTP requests described in rack.yaml.
 *
 *     relay-1:
 *       model: http-switch
 *       address: 192.168.1.50
 *       outlets: 4
 *       on: { method: PUT, path: '/relay/{outlet}/value', body: '1' }
 *       off: { method: PUT, path: '/relay/{outlet}/value', body: '0' }
 *       read: { path: '/relay/{outlet}/value', on: '^1$', off: '^0$' }
 *
 * Verified with: two of our simulators, one that labgrid's backends `rest` and `simplerest` (0.4.1) turn off and on and read, one (ESPHome)
 * that pdudaemon's driver (0.0.8) switches, signing in by digest; each in a test. What a description in rack.yaml is worth
 * is up to who wrote it; `expect` and the reading guard against the worst.
 *
 * Signs in with the token of the login, else by digest or Basic, as the device asks; after digest has succeeded, Basic is never used for
 * that device. An answer that fits both expressions, or neither, is a failure, whatever its status: a login page may contain any word.
 */

import { DescribedExpression } from '@skolo/base/described-expression';
import {
  DeviceRejected,
  type HttpAnswer,
  httpTo,
  isLoginPage,
  SignInRejected,
} from '@skolo/equipment/transports';
import { z } from 'zod';
import type { Device } from '../contract/device.ts';
import {
  type DriverDeps,
  driverKind,
  type OutletDriver,
  type OutletReading,
  oneByOne,
} from '../contract/outlets.ts';
import { readState, stateIn, whereDescribed } from '../families/on-off-patterns.ts';
import { httpSwitch } from './facts.ts';

export const outlets = driverKind({ model: 'http-switch', automaticRepair: true, create });

function create(device: Device, deps: DriverDeps): OutletDriver<string> {
  const { name } = device;
  const { on, off, read, ...how } = z.object(httpSwitch.options).parse(device.options);
  const send = httpTo(device, deps, { ...how, signIn: 'challenge' });

  async function ask(
    { method, path, body, headers }: Omit<typeof on, 'expect'>,
    outlet: string,
    signal: AbortSignal,
  ): Promise<HttpAnswer> {
    // Valid outlet names need no escaping in a body.
    const filled = body?.replaceAll('{outlet}', outlet);
    const request = {
      method,
      path: path.replaceAll('{outlet}', encodeURIComponent(outlet)),
      headers: { ...contentType(filled), ...headers },
      ...(filled !== undefined && { body: filled }),
    };
    return await send(request, signal);
  }

  async function tell(
    { expect, ...request }: typeof on,
    outlet: string,
    signal: AbortSignal,
  ): Promise<void> {
    const { body } = await ask(request, outlet, signal);
    if (expect === undefined || new DescribedExpression(expect).test(body)) return;
    if (isLoginPage(body)) throw new SignInRejected(name, 'returned a login page');
    throw new DeviceRejected(
      name,
      `the response does not match \`expect\` in ${whereDescribed(device)}`,
    );
  }

  async function look(outlet: string, signal: AbortSignal): Promise<OutletReading> {
    const { body } = await ask(read, outlet, signal);
    const state = stateIn(body, read);
    if (state === undefined && isLoginPage(body))
      throw new SignInRejected(name, 'returned a login page');
    return { state: state ?? readState(device, body, read) };
  }

  return {
    key: (outlet) => outlet,
    readsAtOnce: 4,
    read: oneByOne(look),
    set: (outlet, state, signal) => tell(state === 'on' ? on : off, outlet, signal),
  };
}

function contentType(body: string | undefined): Record<string, string> {
  if (body === undefined) return {};
  if (/^\s*[[{]/.test(body)) return { 'content-type': 'application/json' };
  return body.includes('=') ? { 'content-type': 'application/x-www-form-urlencoded' } : {};
}
