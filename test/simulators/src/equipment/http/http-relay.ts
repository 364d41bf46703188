/**
 * A relay board as people build them: the two ways that labgrid's backends `rest` and `simplerest` speak.
 *
 * `PUT /relay/N/value` with `0` or `1` sets, `GET /relay/N/value` answers exactly that (rest); `GET /relay/N/1` sets and
 * `GET /relay/N` reads (simplerest). No sign-in.
 *
 * Source: docstrings of labgrid/driver/power/rest.py and simplerest.py.
 */
import { HttpDevice, type HttpDeviceOptions, numbered, outletsOn } from './http-device.ts';
import type { Answer, Asked } from './http-message.ts';

export interface HttpRelayOptions extends HttpDeviceOptions {
  /** 4 when absent. */
  outlets?: number;
}

export async function startHttpRelay(options: HttpRelayOptions = {}): Promise<SimulatedHttpRelay> {
  const device = new SimulatedHttpRelay(options);
  await device.start();
  return device;
}

export class SimulatedHttpRelay extends HttpDevice {
  readonly model = 'http-switch';

  constructor(options: HttpRelayOptions) {
    super(outletsOn(numbered(options.outlets ?? 4)), options);
  }

  protected isSignedIn(): boolean {
    return true;
  }

  protected refusal(): Answer {
    return { status: 401, headers: { 'www-authenticate': 'Basic realm="relays"' } };
  }

  protected answer({ method, path, body }: Asked): Answer {
    const [, relay = '', last] = /^\/relay\/([^/]+)(?:\/(value|0|1))?$/.exec(path) ?? [];
    if (!this.board.has(relay)) return { status: 404, body: 'Not Found' };
    if (method === 'PUT' && last === 'value') {
      if (body !== '0' && body !== '1') return { status: 400, body: 'Bad Request' };
      this.turn(relay, body === '1');
      return { status: 204 };
    }
    if (method !== 'GET') return { status: 405, body: 'Method Not Allowed' };
    if (last === '0' || last === '1') this.turn(relay, last === '1');
    return { body: this.board.isOn(relay) ? '1' : '0' };
  }
}
