/**
 * Synaccess netBooter (NP and B series) over HTTP.
 *
 * `GET /cmd.cgi?$A3 1 0` and so on, arguments separated by one space (the manual that prints commas is wrong). Each
 * answer has status 200: `$A0` done, `$AF` failed or unknown. The status lists the outlets from the right. Its `$` is
 * wanted as it is: not every firmware knows `%24`, so this one does not. It serves one client at a time and closes the
 * connection after each answer. `$A4` does off, wait and on by itself; how long is set in its own menu.
 *
 * Sources: netBooter B/DU user's guide, "API return codes"; measurements of an NP-0501DU (rmrfslashbin/netcommander,
 * API_SPECIFICATION.md); the HTTP reference for an NP-0201DU (bradfa, gist b965b028). Assumed: 120 V, status 503 when busy,
 * `$A4` of an outlet that is off turns it on.
 */
import { HttpDevice, type HttpDeviceOptions, numbered, outletsOn } from './http-device.ts';
import type { Account, Answer, Asked } from './http-message.ts';
import { basicFits } from './sign-in.ts';

export interface SynaccessOptions extends HttpDeviceOptions {
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

export async function startSynaccess(options: SynaccessOptions = {}): Promise<SimulatedSynaccess> {
  const device = new SimulatedSynaccess(options);
  await device.start();
  return device;
}

export class SimulatedSynaccess extends HttpDevice {
  readonly model = 'synaccess';
  protected override oneClientAtATime = true;
  private readonly options: SynaccessOptions;

  constructor(options: SynaccessOptions) {
    super(outletsOn(numbered(options.outlets ?? 16)), options);
    this.options = options;
  }

  protected isSignedIn(asked: Asked): boolean {
    return basicFits(asked, this.options.account ?? { username: 'admin', password: 'admin' });
  }

  protected refusal(): Answer {
    const headers = { 'www-authenticate': 'Basic realm="Protected"' };
    return { status: 401, headers, body: '<html><body>401 Unauthorized</body></html>\r\n' };
  }

  protected answer({ path, query }: Asked): Answer {
    if (path !== '/cmd.cgi') return { status: 404, body: 'Not Found' };
    const [command, ...parts] = query.replaceAll('%20', ' ').split(' ');
    return { body: `${this.carryOut(command ?? '', parts) ?? '$AF'}\r\n\r\n\r\n` };
  }

  /** Undefined where it makes no sense. */
  private carryOut(command: string, parts: string[]): string | undefined {
    const on = parts.at(-1) === '1';
    const isState = on || parts.at(-1) === '0';
    const [outlet = ''] = parts;
    switch (`${command}/${parts.length}`) {
      case '$A3/2':
        if (!this.board.has(outlet) || !isState) return undefined;
        this.turn(outlet, on);
        return '$A0';
      case '$A4/1':
        if (!this.board.has(outlet)) return undefined;
        this.turn(outlet, false);
        this.after(this.options.rebootSeconds ?? 10, () => this.turn(outlet, true));
        return '$A0';
      case '$A5/0':
        return this.status();
      case '$A7/1':
        if (!isState) return undefined;
        for (const each of this.board.names()) this.turn(each, on);
        return '$A0';
      default:
        return undefined;
    }
  }

  private status(): string {
    const names = this.board.names();
    const bits = names.toReversed().map((name) => (this.board.isOn(name) ? '1' : '0'));
    const amps = names.reduce((sum, name) => sum + this.board.watts(name), 0) / volts;
    const second = this.options.inlets === 2 ? ',0.00' : '';
    const state = `${bits.join('')},${amps.toFixed(2)}${second},XX`;
    return this.options.oldStatus ? state : `$A0,${state}`;
  }
}
