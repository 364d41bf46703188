/**
 * Synaccess netBooter (NP and B series) over HTTP.
 *
 * `GET /cmd.cgi?$A3 1 0` and so on, arguments separated by one space (the manual that prints commas is wrong). Each
 * answer has status 200: `$A0` done, `$AF` failed or unknown. The status lists the outlets from the right. Its `$` is
 * wanted as it is: not every firmware knows `%24`, so this one does not. It serves one client at a time and closes the
 * connection after each answer, and knows the header `Authorization` in this case only (NP-02B). `$A4` does off, wait and on by itself; how long
 * is set in its own menu.
 *
 * Sources: netBooter B/DU user's guide, "API return codes"; measurements of an NP-0501DU (rmrfslashbin/netcommander,
 * API_SPECIFICATION.md); the HTTP reference for an NP-0201DU (bradfa, gist b965b028). Assumed: 120 V, status 503 when busy,
 * `$A4` of an outlet that is off turns it on.
 *
 * No recording: its state matters, because outlets are switched, and cycle by themselves.
 */
import {
  type HttpDevice,
  type HttpDeviceOptions,
  numbered,
  outletsOn,
  startHttpDevice,
} from './http-device.ts';
import type { Account } from './http-message.ts';
import { basic } from './sign-in.ts';

interface SynaccessOptions extends HttpDeviceOptions {
  /** 16 when absent. */
  outlets?: number;
  /** admin/admin, as delivered, when absent. */
  account?: Account;
  /** How long `$A4` leaves an outlet off; 10 when absent. */
  rebootSeconds?: number;
  /** Older firmware lists its outlets without `$A0,` before them. */
  oldStatus?: boolean;
  /** Models with two inlets tell two currents. */
  inlets?: 1 | 2;
}

const volts = 120;
const done = '$A0';

export function startSynaccess(options: SynaccessOptions = {}): Promise<HttpDevice> {
  const { outlets = 16, account = { username: 'admin', password: 'admin' } } = options;
  return startHttpDevice(
    {
      model: 'synaccess',
      board: outletsOn(numbered(outlets)),
      signIn: basic(account, 'Protected', {
        body: '<html><body>401 Unauthorized</body></html>\r\n',
      }),
      routes: {
        '* /cmd.cgi': ({ device, query }) => {
          const [command = '', ...parts] = query.replaceAll('%20', ' ').split(' ');
          return { body: `${carryOut(device, command, parts, options) ?? '$AF'}\r\n\r\n\r\n` };
        },
      },
      oneClientAtATime: true,
      exactCase: true,
    },
    options,
  );
}

/** Undefined where it makes no sense. */
function carryOut(
  device: HttpDevice,
  command: string,
  parts: string[],
  { rebootSeconds = 10, inlets, oldStatus }: SynaccessOptions,
): string | undefined {
  const { board } = device;
  const on = parts.at(-1) === '1';
  const isState = on || parts.at(-1) === '0';
  const [outlet = ''] = parts;
  switch (`${command}/${parts.length}`) {
    case '$A3/2':
      if (!board.has(outlet) || !isState) return undefined;
      device.turn(outlet, on);
      return done;
    case '$A4/1':
      if (!board.has(outlet)) return undefined;
      device.turn(outlet, false);
      device.after(rebootSeconds, () => device.turn(outlet, true));
      return done;
    case '$A5/0': {
      const names = board.names();
      const bits = names.toReversed().map((name) => (board.isOn(name) ? '1' : '0'));
      const amps = names.reduce((sum, name) => sum + board.watts(name), 0) / volts;
      const state = `${bits.join('')},${amps.toFixed(2)}${inlets === 2 ? ',0.00' : ''},XX`;
      return oldStatus ? state : `${done},${state}`;
    }
    case '$A7/1':
      if (!isState) return undefined;
      for (const each of board.names()) device.turn(each, on);
      return done;
    default:
      return undefined;
  }
}
