/**
 * Shelly of the first generation: `/relay/N?turn=on|off|toggle&timer=SECONDS` by GET or as a form by POST, `/status`,
 * `/meter/N`, and `/shelly` without signing in. Relays are counted from 0. With `timer` a relay flips back by itself; a
 * later command calls that off.
 *
 * Sources: shelly-api-docs.shelly.cloud/gen1 (Common HTTP API, Shelly 2.5); labgrid's shelly_gen1 backend, which posts a
 * form. Some models measure all of their relays with one meter: fewer meters than relays.
 */
import { HttpDevice, type HttpDeviceOptions, numbered, outletsOn } from './http-device.ts';
import type { Account, Answer, Asked } from './http-message.ts';
import { basicFits } from './sign-in.ts';

export interface ShellyGen1Options extends HttpDeviceOptions {
  /** 1 when absent. */
  outlets?: number;
  /** As many as relays when absent. */
  meters?: number;
  /** Nobody need sign in when absent. */
  account?: Account;
  /** After the mains came back; as before when absent. */
  defaultState?: 'on' | 'off' | 'last';
}

interface Flip {
  callOff(): void;
  seconds: number;
}

export async function startShellyGen1(
  options: ShellyGen1Options = {},
): Promise<SimulatedShellyGen1> {
  const device = new SimulatedShellyGen1(options);
  await device.start();
  return device;
}

export class SimulatedShellyGen1 extends HttpDevice {
  readonly model = 'shelly-gen1';
  private readonly options: ShellyGen1Options;
  private readonly flips = new Map<string, Flip>();

  constructor(options: ShellyGen1Options) {
    super(outletsOn(numbered(options.outlets ?? 1, 0)), options);
    this.options = options;
  }

  protected isSignedIn(asked: Asked): boolean {
    const { account } = this.options;
    return account === undefined || asked.path === '/shelly' || basicFits(asked, account);
  }

  protected refusal(): Answer {
    const headers = { 'www-authenticate': 'Basic realm="shelly"' };
    return { status: 401, headers, body: '401 Unauthorized' };
  }

  protected answer(asked: Asked): Answer {
    const [, what, index = ''] = asked.path.split('/');
    const outlets = this.board.names();
    switch (what) {
      case 'shelly':
        return { body: this.identity() };
      case 'status':
        return {
          body: {
            relays: outlets.map((relay) => this.relay(relay)),
            meters: outlets.slice(0, this.meterCount()).map((relay) => this.meter(relay)),
            uptime: 600,
          },
        };
      case 'meter':
        if (!outlets.slice(0, this.meterCount()).includes(index)) break;
        return { body: this.meter(index) };
      case 'relay':
        if (!this.board.has(index)) break;
        return this.command(index, asked);
    }
    return { status: 404, body: 'Not Found' };
  }

  protected override afterPowerFailure(): void {
    this.flips.clear();
    const { defaultState = 'last' } = this.options;
    if (defaultState === 'last') return;
    for (const relay of this.board.names()) this.board.set(relay, defaultState === 'on');
  }

  private command(relay: string, { params, body }: Asked): Answer {
    const form = new URLSearchParams(body);
    const turn = params.get('turn') ?? form.get('turn');
    const timer = params.get('timer') ?? form.get('timer');
    if (turn === null) return { body: this.relay(relay) };
    if (!/^(on|off|toggle)$/.test(turn)) return { status: 400, body: 'Bad turn!' };
    if (timer !== null && !/^\d{1,5}$/.test(timer)) return { status: 400, body: 'Bad timer!' };
    const on = turn === 'toggle' ? !this.board.isOn(relay) : turn === 'on';
    this.flips.get(relay)?.callOff();
    this.flips.delete(relay);
    this.turn(relay, on);
    if (timer !== null) {
      const seconds = Number(timer);
      const callOff = this.after(seconds, () => {
        this.flips.delete(relay);
        this.turn(relay, !on);
      });
      this.flips.set(relay, { callOff, seconds });
    }
    return { body: { ...this.relay(relay), ison: on } };
  }

  private meterCount(): number {
    return this.options.meters ?? this.board.names().length;
  }

  private identity() {
    return {
      type: 'SHSW-25',
      mac: 'A8032AB12345',
      auth: this.options.account !== undefined,
      fw: '20230913-114244/v1.14.0-gcb84623',
      longid: 1,
      num_outputs: this.board.names().length,
      num_meters: this.meterCount(),
    };
  }

  private relay(relay: string) {
    const flip = this.flips.get(relay);
    return {
      ison: this.board.isOn(relay),
      has_timer: flip !== undefined,
      timer_started: 0,
      timer_duration: flip?.seconds ?? 0,
      timer_remaining: flip?.seconds ?? 0,
      overpower: false,
      source: 'http',
    };
  }

  private meter(relay: string) {
    return { power: this.board.watts(relay), is_valid: true, timestamp: 0, total: 0 };
  }
}
