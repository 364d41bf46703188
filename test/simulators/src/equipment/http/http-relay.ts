/**
 * A relay board as people build them, in the way that labgrid's backend `rest` speaks: `PUT /relay/N/value` with `0` or `1` sets,
 * `GET /relay/N/value` answers exactly that. No sign-in.
 *
 * Source: docstring of labgrid/driver/power/rest.py.
 *
 * No recording: its state matters, because relays are switched and read back.
 */
import {
  type HttpDevice,
  type HttpDeviceOptions,
  numbered,
  outletsOn,
  startHttpDevice,
} from './http-device.ts';
import { basic } from './sign-in.ts';

interface HttpRelayOptions extends HttpDeviceOptions {
  /** 4 when absent. */
  outlets?: number;
}

export function startHttpRelay(options: HttpRelayOptions = {}): Promise<HttpDevice> {
  return startHttpDevice(
    {
      model: 'http-switch',
      board: outletsOn(numbered(options.outlets ?? 4)),
      signIn: basic(undefined, 'relays'),
      routes: {
        'PUT /relay/:outlet/value': ({ device, outlet, body }) => {
          if (body !== '0' && body !== '1') return { status: 400, body: 'Bad Request' };
          device.turn(outlet, body === '1');
          return { status: 204 };
        },
        'GET /relay/:outlet/value': ({ device, outlet }) => ({
          body: device.board.isOn(outlet) ? '1' : '0',
        }),
      },
    },
    options,
  );
}
