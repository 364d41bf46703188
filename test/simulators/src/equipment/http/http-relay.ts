/**
 * A relay board as people build them: the two ways that labgrid's backends `rest` and `simplerest` speak.
 *
 * `PUT /relay/N/value` with `0` or `1` sets, `GET /relay/N/value` answers exactly that (rest); `GET /relay/N/1` sets and
 * `GET /relay/N` reads (simplerest). No sign-in.
 *
 * Source: docstrings of labgrid/driver/power/rest.py and simplerest.py.
 */
import {
  type Call,
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
  const read = ({ device, outlet }: Call) => ({ body: device.board.isOn(outlet) ? '1' : '0' });
  const set = (on: boolean) => (call: Call) => {
    call.device.turn(call.outlet, on);
    return read(call);
  };
  const notAllowed = () => ({ status: 405, body: 'Method Not Allowed' });
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
        'GET /relay/:outlet': read,
        'GET /relay/:outlet/value': read,
        'GET /relay/:outlet/0': set(false),
        'GET /relay/:outlet/1': set(true),
        '* /relay/:outlet': notAllowed,
        '* /relay/:outlet/value': notAllowed,
      },
      notFound: { status: 404, body: 'Not Found' },
    },
    options,
  );
}
