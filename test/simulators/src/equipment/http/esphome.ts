/**
 * ESPHome's `web_server`: `POST /switch/ID/turn_on|turn_off|toggle` answers 200 and nothing, `GET /switch/ID` the state.
 *
 * Sources: esphome.io/web-api (REST API); pdudaemon's esphome-http driver, which signs in by digest. Builds with Arduino
 * ask for digest with MD5, those with ESP-IDF for Basic.
 */
import { HttpDevice, type HttpDeviceOptions, outletsOn } from './http-device.ts';
import type { Account, Answer, Asked } from './http-message.ts';
import { basicFits, Digest } from './sign-in.ts';

export interface EsphomeOptions extends HttpDeviceOptions {
  /** Ids of its switches; relay_1 and relay_2 when absent. */
  switches?: readonly string[];
  /** Nobody need sign in when absent. */
  account?: Account;
  /** How they sign in; digest when absent. */
  signIn?: 'basic' | 'digest';
}

export async function startEsphome(options: EsphomeOptions = {}): Promise<SimulatedEsphome> {
  const device = new SimulatedEsphome(options);
  await device.start();
  return device;
}

export class SimulatedEsphome extends HttpDevice {
  readonly model = 'http-switch';
  private readonly options: EsphomeOptions;
  private readonly digest = new Digest('asyncesp', 'MD5');

  constructor(options: EsphomeOptions) {
    super(outletsOn(options.switches ?? ['relay_1', 'relay_2']), options);
    this.options = options;
  }

  protected isSignedIn(asked: Asked): boolean {
    const { account, signIn } = this.options;
    if (account === undefined) return true;
    return signIn === 'basic' ? basicFits(asked, account) : this.digest.fits(asked, account);
  }

  protected refusal(): Answer {
    const basic = this.options.signIn === 'basic';
    const challenge = basic ? 'Basic realm="Login Required"' : this.digest.challenge();
    return { status: 401, headers: { 'www-authenticate': challenge } };
  }

  protected answer({ method, path }: Asked): Answer {
    const [, kind, id = '', verb] = path.split('/');
    if (kind !== 'switch' || !this.board.has(id)) return { status: 404, body: 'Not Found' };
    const isOn = this.board.isOn(id);
    if (method === 'GET' && verb === undefined) {
      return { body: { id: `switch-${id}`, value: isOn, state: isOn ? 'ON' : 'OFF' } };
    }
    if (method !== 'POST' || !/^(turn_on|turn_off|toggle)$/.test(verb ?? '')) {
      return { status: 404, body: 'Not Found' };
    }
    this.turn(id, verb === 'toggle' ? !isOn : verb === 'turn_on');
    return {};
  }
}
