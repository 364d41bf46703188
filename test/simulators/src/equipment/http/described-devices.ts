/**
 * Equipment for whose models tables suffice, as its makers' documents and other authors' drivers describe it: routes that set and read, and
 * nothing else that a description could use by mistake.
 *
 * Sources: Gude's EPC HTTP interface and labgrid's gude8031.py and gude24.py; NETIO's JSON API (AN21) and the answers in its package Netio;
 * Digital Loggers' REST API; pdudaemon's servertechpro2.py and a driver of the Switched PRO2 by SKA; Home Assistant's REST API.
 *
 * No recording: its state matters, because outlets are switched and read back.
 */
import { isObject, parseJson } from '@skolo/base';
import { startEsphome } from './esphome.ts';
import {
  type Call,
  type HttpDevice,
  type HttpDeviceOptions,
  type HttpModel,
  numbered,
  outletsOn,
  startHttpDevice,
} from './http-device.ts';
import type { Account, Answer } from './http-message.ts';
import { basic, digest } from './sign-in.ts';

const account: Account = { username: 'admin', password: 'joker' };
const open = basic(undefined, 'pdu');

/** `p` and `s`, if it is a command. */
function switchedBy({ device, params }: Call): void {
  const [outlet, state] = [params.get('p') ?? '', params.get('s')];
  if (params.get('cmd') === '1' && device.board.has(outlet)) device.turn(outlet, state === '1');
}

const gudeEpc: HttpModel = {
  model: 'gude-epc',
  board: outletsOn(numbered(8)),
  signIn: open,
  routes: {
    'GET /status.json': (call) => {
      switchedBy(call);
      if (call.params.get('components') !== '1') return { body: {} };
      const { board } = call.device;
      const outputs = board.names().map((name) => ({ name, state: Number(board.isOn(name)) }));
      return { body: { outputs } };
    },
  },
};

const gudeWeb: HttpModel = {
  model: 'gude-web',
  board: outletsOn(numbered(24)),
  signIn: open,
  routes: {
    'GET /ov.html': (call) => {
      switchedBy(call);
      const { board } = call.device;
      const lines = board
        .names()
        .map(
          (name) =>
            `<meta http-equiv="powerstate" content="Power Port ${name},${Number(board.isOn(name))}">`,
        );
      return { body: `<html><head>\n${lines.join('\n')}\n</head></html>\n` };
    },
  },
};

/** Actions: 0 off, 1 on, 4 toggle; others are not simulated. */
const netio: HttpModel = {
  model: 'netio',
  board: outletsOn(numbered(4)),
  signIn: basic(account, 'NETIO'),
  routes: {
    'GET /netio.json': ({ device }) => netioState(device),
    'POST /netio.json': ({ device, body }) => {
      const asked = parseJson(body);
      const outputs = isObject(asked) && Array.isArray(asked.Outputs) ? asked.Outputs : [];
      for (const each of outputs as unknown[]) {
        if (!isObject(each) || !device.board.has(String(each.ID))) return { status: 400 };
        const outlet = String(each.ID);
        device.turn(outlet, each.Action === 4 ? !device.board.isOn(outlet) : each.Action === 1);
      }
      return netioState(device);
    },
  },
};

function netioState({ board }: HttpDevice): Answer {
  const Outputs = board.names().map((name) => ({
    ID: Number(name),
    Name: `out_${name}`,
    State: Number(board.isOn(name)),
    Action: 6,
    Delay: 5000,
    Load: board.watts(name),
  }));
  return { body: { Agent: { Model: '4C' }, Outputs } };
}

/** Outlets are counted from 0 in requests. */
const dli: HttpModel = {
  model: 'dli-rest',
  board: outletsOn(numbered(8)),
  signIn: digest(account, { realm: 'DLI', algorithm: 'MD5' }),
  routes: {
    'GET /restapi/relay/outlets/all;/physical_state/': ({ device: { board } }) => ({
      status: 207,
      body: JSON.stringify(board.names().map((name) => board.isOn(name))),
      headers: { 'content-type': 'application/json' },
    }),
    'PUT /restapi/relay/outlets/:index/state/': ({ device, parts: [index], headers, body }) => {
      const outlet = String(Number(index) + 1);
      if (headers['x-csrf'] === undefined) return { status: 403 };
      if (!device.board.has(outlet) || !/^value=(true|false)$/.test(body)) return undefined;
      device.turn(outlet, body === 'value=true');
      return { status: 204 };
    },
  },
};

const jaws: HttpModel = {
  model: 'servertech-jaws',
  board: outletsOn(numbered(8).map((number) => `AA${number}`)),
  signIn: basic(account, 'Sentry'),
  routes: {
    'GET /jaws/monitor/outlets/:outlet': ({ device, outlet }) => ({
      body: { id: outlet, name: outlet, state: device.board.isOn(outlet) ? 'On' : 'Off' },
    }),
    'PATCH /jaws/control/outlets/:outlet': ({ device, outlet, body }) => {
      const asked = parseJson(body);
      const action = isObject(asked) ? asked.control_action : undefined;
      if (action !== 'on' && action !== 'off') return { status: 400 };
      device.turn(outlet, action === 'on');
      return { status: 204 };
    },
  },
};

function called(on: boolean) {
  return ({ device, body }: Call): Answer => {
    const asked = parseJson(body);
    const entity = isObject(asked) ? String(asked.entity_id) : '';
    const outlet = entity.replace(/^switch\./, '');
    if (device.board.has(outlet)) device.turn(outlet, on);
    return { body: [] };
  };
}

const homeAssistant: HttpModel = {
  model: 'home-assistant',
  board: outletsOn(['tv_plug', 'pi_1', 'pi_2']),
  signIn: {
    fits: ({ headers }) => headers.authorization === 'Bearer long-lived',
    rejection: () => ({ status: 401, body: '401: Unauthorized' }),
  },
  routes: {
    'POST /api/services/switch/turn_on': called(true),
    'POST /api/services/switch/turn_off': called(false),
    'GET /api/states/:entity': ({ device, parts: [entity = ''] }) => {
      const outlet = entity.replace(/^switch\./, '');
      if (!device.board.has(outlet)) return undefined;
      const state = device.board.isOn(outlet) ? 'on' : 'off';
      return { body: { entity_id: entity, state, attributes: { friendly_name: outlet } } };
    },
  },
};

const described = { gudeEpc, gudeWeb, netio, dli, jaws, homeAssistant };

/** By the name of its model. */
export function startDescribedDevice(
  model: string,
  options: HttpDeviceOptions = {},
): Promise<HttpDevice> {
  if (model === 'esphome') return startEsphome({ account, ...options });
  const found = Object.values(described).find((each) => each.model === model);
  if (found === undefined) throw new RangeError(`nothing simulates ${model}`);
  const names = found.board.names();
  return startHttpDevice({ ...found, board: outletsOn(names) }, options);
}
