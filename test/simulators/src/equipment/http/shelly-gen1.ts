/**
 * Shelly of the first generation: `/relay/N?turn=on|off|toggle&timer=SECONDS` by GET or as a form by POST, `/status`,
 * and `/shelly` without signing in. Relays are counted from 0. With `timer` a relay flips back by itself; a
 * later command calls that off.
 *
 * Sources: shelly-api-docs.shelly.cloud/gen1 (Common HTTP API, Shelly 2.5); labgrid's shelly_gen1 backend, which posts a
 * form. Some models measure all of their relays with one meter: fewer meters than relays.
 *
 * No recording: its state matters, because relays are switched, and flip back by themselves.
 */
import {
  type Call,
  type HttpDevice,
  type HttpDeviceOptions,
  numbered,
  outletsOn,
  startHttpDevice,
} from './http-device.ts';
import type { Account, Answer } from './http-message.ts';
import { basic } from './sign-in.ts';

export interface ShellyGen1Options extends HttpDeviceOptions {
  /** 1 when absent. */
  outlets?: number;
  /** As many as relays when absent. */
  meters?: number;
  /** Of each relay after a power failure: `off`, `on`, `last` (when absent), `switch`. */
  defaultStates?: readonly string[];
  /** `relay` when absent; `roller`: its relays move shutters. */
  mode?: string;
  /** Of its relays, where they have one. */
  relayNames?: readonly string[];
  /** Nobody need sign in when absent. */
  account?: Account;
}

export function startShellyGen1(options: ShellyGen1Options = {}): Promise<HttpDevice> {
  const { outlets = 1, account } = options;
  const metersOf = ({ board }: HttpDevice) =>
    board.names().slice(0, options.meters ?? board.names().length);
  return startHttpDevice(
    {
      model: 'shelly-gen1',
      board: outletsOn(numbered(outlets, 0)),
      signIn: basic(account, 'shelly', { body: '401 Unauthorized', open: ['/shelly'] }),
      routes: {
        '* /shelly': ({ device }) => ({
          body: {
            type: 'SHSW-25',
            mac: 'A8032AB12345',
            auth: account !== undefined,
            fw: '20230913-114244/v1.14.0-gcb84623',
            longid: 1,
            num_outputs: device.board.names().length,
            num_meters: options.meters ?? device.board.names().length,
          },
        }),
        '* /settings': ({ device }) => ({
          body: {
            mode: options.mode ?? 'relay',
            device: { type: 'SHSW-25', mac: 'A8032AB12345', num_outputs: outlets },
            relays: device.board.names().map((_relay, at) => ({
              name: options.relayNames?.[at] ?? null,
              default_state: options.defaultStates?.[at] ?? 'last',
              btn_type: 'toggle',
              auto_on: 0,
              auto_off: 0,
            })),
          },
        }),
        '* /status': ({ device }) => ({
          body: {
            relays: device.board.names().map((relay) => relayOf(device, relay)),
            meters: metersOf(device).map((relay) => meterOf(device, relay)),
            uptime: 600,
          },
        }),
        '* /relay/:outlet': command,
      },
    },
    options,
  );
}

function command({ device, outlet, params, body }: Call): Answer {
  const form = new URLSearchParams(body);
  const turn = params.get('turn') ?? form.get('turn');
  const timer = params.get('timer') ?? form.get('timer');
  if (turn === null) return { body: relayOf(device, outlet) };
  if (!/^(on|off|toggle)$/.test(turn)) return { status: 400, body: 'Bad turn!' };
  if (timer !== null && !/^\d{1,5}$/.test(timer)) return { status: 400, body: 'Bad timer!' };
  const on = turn === 'toggle' ? !device.board.isOn(outlet) : turn === 'on';
  device.flip(outlet, on, timer === null ? undefined : Number(timer));
  return { body: { ...relayOf(device, outlet), ison: on } };
}

function relayOf(device: HttpDevice, relay: string) {
  const seconds = device.flipSeconds(relay);
  return {
    ison: device.board.isOn(relay),
    has_timer: seconds !== undefined,
    timer_started: 0,
    timer_duration: seconds ?? 0,
    timer_remaining: seconds ?? 0,
    overpower: false,
    source: 'http',
  };
}

function meterOf({ board }: HttpDevice, relay: string) {
  return { power: board.watts(relay), is_valid: true, timestamp: 0, total: 0 };
}
