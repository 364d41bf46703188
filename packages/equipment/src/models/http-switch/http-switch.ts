/**
 * Anything that is switched by HTTP requests, described in rack.yaml or by a table in `../described`.
 *
 *     relay-1:
 *       model: http-switch
 *       address: 192.168.1.50
 *       outlets: 4
 *       on: { method: PUT, path: '/relay/{outlet}/value', body: '1' }
 *       off: { method: PUT, path: '/relay/{outlet}/value', body: '0' }
 *       read: { path: '/relay/{outlet}/value', on: '^1$', off: '^0$' }
 *     pdu-1:
 *       …
 *       read: { path: /netio.json, list: /Outputs, where: { ID: '{outlet}' }, value: /State, on: '^1$', off: '^0$', watts: /Load }
 *
 * Verified with: two of our simulators, one that labgrid's backends `rest` and `simplerest` (0.4.1) turn off and on and read, one (ESPHome)
 * that pdudaemon's driver (0.0.8) switches, signing in by digest; each in a test. What a description in rack.yaml is worth
 * is up to who wrote it; `expect` and the reading guard against the worst.
 *
 * Signs in with the token of the login, else by digest or Basic, as the device asks; after digest has succeeded, Basic is never used for
 * that device. An answer that fits both expressions, or neither, is a failure, whatever its status: a login page may contain any word.
 */

import { parseJson } from '@skolo/base';
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
import { fillOutlet, namesOutlet } from '../families/described-facts.ts';
import { partOf, textOf, valueAt } from '../families/json-place.ts';
import { readState, stateIn, whereDescribed } from '../families/on-off-patterns.ts';
import { httpSwitch } from './facts.ts';

export const outlets = driverKind({ model: 'http-switch', automaticRepair: true, create });

interface Response {
  body: string;
  /** The body, parsed once for all outlets, if `read` names places in JSON. */
  document: unknown;
}

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
    const filled = body === undefined ? undefined : fillOutlet(body, outlet);
    const request = {
      method,
      path: fillOutlet(path, encodeURIComponent(outlet)),
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
    if (expect === undefined || new DescribedExpression(filledIn(expect, outlet)).test(body))
      return;
    if (isLoginPage(body)) throw new SignInRejected(name, 'returned a login page');
    throw new DeviceRejected(
      name,
      `the response does not match \`expect\` in ${whereDescribed(device)}`,
    );
  }

  /** @throws DeviceRejected It has no state of this outlet. @throws SlowExpression */
  function readingIn({ body, document }: Response, outlet: string): OutletReading {
    const { list, where, value, watts } = read;
    const part = value === undefined ? undefined : partOf(document, { list, where }, outlet);
    const text = value === undefined ? body : textOf(valueAt(part, value, outlet));
    const expressions = { on: filledIn(read.on, outlet), off: filledIn(read.off, outlet) };
    const state = text === undefined ? undefined : stateIn(text, expressions);
    if (state === undefined && isLoginPage(body))
      throw new SignInRejected(name, 'returned a login page');
    if (text === undefined) {
      const what = `the response has no state of outlet ${outlet} at the place that \`read\` in ${whereDescribed(device)} names`;
      throw new DeviceRejected(name, what);
    }
    const power = watts === undefined ? undefined : valueAt(part, watts, outlet);
    return {
      state: state ?? readState(device, text, expressions),
      ...(typeof power === 'number' && power >= 0 && { watts: power }),
    };
  }

  async function askStates(outlet: string, signal: AbortSignal): Promise<Response> {
    const { body } = await ask(read, outlet, signal);
    return { body, document: read.value === undefined ? undefined : parseJson(body) };
  }

  const { method, path, body, headers } = read;
  const isOfAll = !namesOutlet({ method, path, body, headers });
  return {
    key: (outlet) => outlet,
    ...(!isOfAll && { readsAtOnce: 4 }),
    async read(keys, signal) {
      const one = async (outlet: string) => readingIn(await askStates(outlet, signal), outlet);
      if (!isOfAll) return await oneByOne(one)(keys, signal);
      const response = await askStates('', signal);
      return (outlet) => readingIn(response, outlet);
    },
    set: (outlet, state, signal) => tell(state === 'on' ? on : off, outlet, signal),
  };
}

/** An expression that matches the outlet's name as it is. */
function filledIn(expression: string, outlet: string): string {
  return fillOutlet(expression, outlet.replaceAll(/[.*+?^${}()|[\]\\-]/g, '\\$&'));
}

function contentType(body: string | undefined): Record<string, string> {
  if (body === undefined) return {};
  if (/^\s*[[{]/.test(body)) return { 'content-type': 'application/json' };
  return body.includes('=') ? { 'content-type': 'application/x-www-form-urlencoded' } : {};
}
