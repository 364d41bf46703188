/**
 * ESPHome's `web_server`: `POST /switch/ID/turn_on|turn_off|toggle` answers 200 and nothing, `GET /switch/ID` the state.
 *
 * Sources: esphome.io/web-api (REST API); pdudaemon's esphome-http driver, which signs in by digest. Builds with Arduino
 * ask for digest with MD5, those with ESP-IDF for Basic.
 *
 * No recording: its state matters, because its switches are turned and read back.
 */
import {
  type Call,
  type HttpDevice,
  type HttpDeviceOptions,
  outletsOn,
  startHttpDevice,
} from './http-device.ts';
import type { Account } from './http-message.ts';
import { basic, digest } from './sign-in.ts';

interface EsphomeOptions extends HttpDeviceOptions {
  /** Ids of its switches; relay_1 and relay_2 when absent. */
  switches?: readonly string[];
  /** Nobody need sign in when absent. */
  account?: Account;
  /** How they sign in; digest when absent. */
  signIn?: 'basic' | 'digest';
}

export function startEsphome(options: EsphomeOptions = {}): Promise<HttpDevice> {
  const { switches = ['relay_1', 'relay_2'], account, signIn } = options;
  const turn =
    (on: (isOn: boolean) => boolean) =>
    ({ device, outlet }: Call) => {
      device.turn(outlet, on(device.board.isOn(outlet)));
      return {};
    };
  return startHttpDevice(
    {
      model: 'http-switch',
      board: outletsOn(switches),
      signIn:
        signIn === 'basic'
          ? basic(account, 'Login Required')
          : digest(account, { realm: 'asyncesp', algorithm: 'MD5' }),
      routes: {
        'GET /switch/:outlet': ({ device, outlet }) => {
          const isOn = device.board.isOn(outlet);
          return { body: { id: `switch-${outlet}`, value: isOn, state: isOn ? 'ON' : 'OFF' } };
        },
        'POST /switch/:outlet/turn_on': turn(() => true),
        'POST /switch/:outlet/turn_off': turn(() => false),
        'POST /switch/:outlet/toggle': turn((isOn) => !isOn),
      },
    },
    options,
  );
}
