/**
 * Shelly of the second generation and later: JSON-RPC by `POST /rpc`, or one method by `GET /rpc/METHOD?params`.
 * Switches are counted from 0. `toggle_after` flips a switch back by itself; a later command calls that off.
 *
 * A request to `/rpc` is answered with status 200 and a frame that holds `result` or `error`; one to `/rpc/METHOD` with
 * the bare result, or with 500 and the bare error. Signing in is by digest with SHA-256 as the user `admin`; `/shelly` and
 * Shelly.GetDeviceInfo need none. (The `auth` object inside of frames, for websockets, is not spoken here.)
 *
 * Sources: shelly-api-docs.shelly.cloud/gen2 (RPCProtocol, Authentication, Switch); the HTTP channel of mongoose-os
 * rpc-common, which the firmware is built on; labgrid's shelly_gen2 backend.
 *
 * No recording: its state matters, because its switches are turned, and flip back by themselves.
 */
import { parseJson } from '@skolo/base';
import { z } from 'zod';
import {
  type HttpDevice,
  type HttpDeviceOptions,
  type HttpModel,
  numbered,
  outletsOn,
  startHttpDevice,
} from './http-device.ts';
import type { Account } from './http-message.ts';
import { digest } from './sign-in.ts';

export interface ShellyGen2Options extends HttpDeviceOptions {
  /** 1 when absent. */
  outlets?: number;
  /** Of the user `admin`; nobody need sign in when absent. */
  password?: string;
  /** Of each switch after a power failure: `off`, `on`, `restore_last` (when absent), `match_input`. */
  initialStates?: readonly string[];
  /** `switch` or `cover`, of models with both. */
  profile?: string;
  /** Of its switches, where they have one. */
  switchNames?: readonly string[];
  /** Whether its switches measure; they do when absent. */
  meters?: boolean;
}

const Params = z.object({
  id: z.number().int().optional(),
  on: z.boolean().optional(),
  toggle_after: z.number().nonnegative().optional(),
  user: z.string().optional(),
  realm: z.string().optional(),
  ha1: z.string().nullish(),
});
const Frame = z.object({
  id: z.union([z.number(), z.string()]),
  method: z.string(),
  params: Params.default({}),
});

const id = 'shellypro4pm-a8032ab12345';

interface Failure {
  code: number;
  message: string;
}
type Outcome = { result: object | null } | { error: Failure };

export function startShellyGen2(options: ShellyGen2Options = {}): Promise<HttpDevice> {
  const { outlets = 1, password, meters = true } = options;
  const account: Account | undefined =
    password === undefined ? undefined : { username: 'admin', password };
  const identity = {
    name: null,
    id,
    mac: 'A8032AB12345',
    model: 'SPSW-004PE16EU',
    gen: 2,
    ver: '1.4.4',
    app: 'Pro4PM',
    ...(options.profile !== undefined && { profile: options.profile }),
    auth_en: password !== undefined,
    auth_domain: password === undefined ? null : id,
  };

  function status(device: HttpDevice, relay: string): object {
    const seconds = device.flipSeconds(relay);
    return {
      id: Number(relay),
      source: 'HTTP_in',
      output: device.board.isOn(relay),
      ...(seconds !== undefined && { timer_started_at: 1_764_000_000, timer_duration: seconds }),
      ...(meters && { apower: device.board.watts(relay), voltage: 230.1 }),
      temperature: { tC: 41.2, tF: 106.2 },
    };
  }

  function call(device: HttpDevice, method: string, params: z.infer<typeof Params>): Outcome {
    const { board } = device;
    if (method === 'Shelly.GetDeviceInfo') return { result: identity };
    if (method === 'Shelly.GetStatus') {
      const switches = board.names().map((relay) => [`switch:${relay}`, status(device, relay)]);
      return { result: { sys: { uptime: 600 }, ...Object.fromEntries(switches) } };
    }
    if (method === 'Shelly.GetConfig') {
      return { result: configOf(board.names(), options) };
    }
    if (!/^Switch\.(Set|Toggle|GetStatus)$/.test(method)) {
      return failed(404, `No handler for ${method}`);
    }
    if (params.id === undefined) return failed(-103, "Missing required argument 'id'!");
    const relay = String(params.id);
    if (!board.has(relay)) return failed(-105, `Argument 'id', value ${relay} not found!`);
    if (method === 'Switch.GetStatus') return { result: status(device, relay) };
    const was = board.isOn(relay);
    const on = method === 'Switch.Toggle' ? !was : params.on;
    if (on === undefined) return failed(-103, "Missing required argument 'on'!");
    device.flip(relay, on, params.toggle_after);
    return { result: { was_on: was } };
  }

  return startHttpDevice(
    {
      model: 'shelly-gen2',
      board: outletsOn(numbered(outlets, 0)),
      signIn: digest(account, { realm: id, algorithm: 'SHA-256' }, [
        '/shelly',
        '/rpc/Shelly.GetDeviceInfo',
      ]),
      routes: routesOf(identity, call),
    },
    options,
  );
}

function configOf(
  switches: readonly string[],
  { initialStates = [], switchNames = [] }: ShellyGen2Options,
): object {
  const configs = switches.map((relay, at) => {
    const initial_state = initialStates[at] ?? 'restore_last';
    const name = switchNames[at] ?? null;
    return [`switch:${relay}`, { id: at, name, in_mode: 'follow', initial_state }];
  });
  return { sys: { cfg_rev: 10 }, ...Object.fromEntries(configs) };
}

type Method = (device: HttpDevice, name: string, params: z.infer<typeof Params>) => Outcome;

function routesOf(identity: object, call: Method): HttpModel['routes'] {
  return {
    '* /shelly': () => ({ body: identity }),
    '* /rpc': ({ device, body }) => {
      const frame = Frame.safeParse(parseJson(body)).data;
      if (frame === undefined) return { body: { id: null, src: id, ...badArguments } };
      return { body: { id: frame.id, src: id, ...call(device, frame.method, frame.params) } };
    },
    '* /rpc/:method': ({ device, parts: [method = ''], params }) => {
      if (!/^[\w.]+$/.test(method)) return undefined;
      // A value that is no JSON is text.
      const values = [...params].map(([key, value]) => [key, parseJson(value) ?? value]);
      const given = Params.safeParse(Object.fromEntries(values));
      const outcome = given.success ? call(device, method, given.data) : badArguments;
      return 'error' in outcome
        ? { status: 500, body: outcome.error }
        : { status: 200, body: outcome.result ?? 'null' };
    },
  };
}

function failed(code: number, message: string): { error: Failure } {
  return { error: { code, message } };
}

const badArguments = failed(-103, 'Bad request');
