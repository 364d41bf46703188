/**
 * Tasmota over HTTP: `GET /cm?cmnd=COMMAND`, with `user` and `password` beside it where one is set.
 *
 * A command without a value reads; a relay index of 0 means all of them; no index means the first. One relay alone is
 * called POWER, not POWER1, unless SetOption26 is set. `Backlog A; B` carries out each in turn, in its own time, and
 * answers at once with nothing to read. `Delay n` in it waits n tenths of a second; `Delay` tells what is left of that. `PulseTime` is kept and told, and
 * turns nothing off here.
 *
 * With `interlock`, relays are switched off by the firmware when another one is turned on, and no answer tells that.
 *
 * Sources: tasmota.github.io/docs/Commands; arendst/Tasmota support_command.ino (CmndBacklog, CmndDelay, CmndPower,
 * CmndPulsetime, CmndPowerOnState, CmndStateText) and xdrv_01_9_webserver.ino (HandleHttpCommand).
 *
 * No recording: its state matters, because relays are switched, and a backlog goes on by itself.
 */
import {
  type HttpDevice,
  type HttpDeviceOptions,
  numbered,
  outletsOn,
  startHttpDevice,
} from './http-device.ts';

export interface TasmotaOptions extends HttpDeviceOptions {
  /** 1 when absent. */
  outlets?: number;
  /** Of the user `admin`; none when absent. */
  password?: string;
  /** How it says no to who is not signed in: older firmware with status 200. 401 when absent. */
  rejectionstatus?: 200 | 401;
  /** Tells `POWER1` even where there is but one relay. */
  setOption26?: boolean;
  /** Whether each relay is measured, all together, or none; each when absent. */
  meters?: 'each' | 'together' | 'none';
  /** After a power failure: 0 off, 1 on, 2 the contrary of before, 3 as before (when absent). */
  powerOnState?: number;
  /** Relays of which one may be on. */
  interlock?: readonly string[];
  /** Its words for off and on; OFF and ON when absent. */
  stateText?: readonly [off: string, on: string];
  /** Older firmware answers what has no answer with a warning. */
  warnsOfNoAnswer?: boolean;
}

/** Tenths of a second between two commands of a backlog (MIN_BACKLOG_DELAY). */
const leastDelay = 2;
const states = new Map([
  ['on', true],
  ['1', true],
  ['true', true],
  ['off', false],
  ['0', false],
  ['false', false],
]);
const firmware = {
  Version: '13.1.0(release-tasmota)',
  BuildDateTime: '2023-08-15T12:43:17',
  Core: '2_7_4_9',
  Hardware: 'ESP8285N08',
};
const Time = '2026-11-20T10:00:00';

type Told = Record<string, unknown>;

export function startTasmota(options: TasmotaOptions = {}): Promise<HttpDevice> {
  const { outlets = 1, rejectionstatus = 401, password } = options;
  let brain: Brain | undefined;
  const brainOf = (device: HttpDevice) => {
    brain ??= new Brain(device, options);
    return brain;
  };
  return startHttpDevice(
    {
      model: 'tasmota',
      board: outletsOn(numbered(outlets)),
      signIn: {
        fits: ({ params }) =>
          password === undefined ||
          (params.get('user') === 'admin' && params.get('password') === password),
        rejection: () => ({
          status: rejectionstatus,
          body: { WARNING: 'Need user=<username>&password=<password>' },
        }),
      },
      routes: {
        '* /cm': ({ device, params }) => ({
          body: brainOf(device).answer(params.get('cmnd') ?? ''),
        }),
      },
      notFound: { status: 404, body: 'File Not Found' },
      logged: ({ path, params }) => `GET ${path}?cmnd=${params.get('cmnd') ?? ''}`,
      afterPowerFailure: (device) => brainOf(device).afterPowerFailure(),
    },
    options,
  );
}

/** What it keeps and does by itself. */
class Brain {
  /** 0 off, 1 on, 3 as before, after the mains came back. */
  private powerOnState: number;
  private readonly options: TasmotaOptions;
  private readonly backlog: string[] = [];
  private isWaiting = false;
  /** Tenths of a second that the backlog waits; it does not count down here. */
  private delay = 0;
  private readonly pulseTimes = new Map<string, number>();
  private readonly device: HttpDevice;

  constructor(device: HttpDevice, options: TasmotaOptions) {
    this.device = device;
    this.options = options;
    this.powerOnState = options.powerOnState ?? 3;
  }

  answer(command: string): Told {
    const told = this.execute(command);
    const isSilent = Object.keys(told).length === 0 && this.options.warnsOfNoAnswer;
    return isSilent ? { WARNING: 'Enable weblog 2 if response expected' } : told;
  }

  afterPowerFailure(): void {
    this.backlog.length = 0;
    this.isWaiting = false;
    if (this.powerOnState > 2) return;
    for (const relay of this.device.board.names()) {
      const isToggled = this.powerOnState === 2 && !this.device.board.isOn(relay);
      this.device.board.set(relay, this.powerOnState === 1 || isToggled);
    }
  }

  private execute(command: string): Told {
    const [, name = '', index = '', value = ''] =
      /^\s*([a-z]+?)(\d*)(?:\s+(.*?))?\s*$/is.exec(command) ?? [];
    switch (name.toLowerCase()) {
      case 'power':
        return this.power(index, value.toLowerCase());
      case 'pulsetime':
        return this.pulseTime(index === '' ? '1' : index, value);
      case 'poweronstate':
        if (/^[0-5]$/.test(value)) this.powerOnState = Number(value);
        return { PowerOnState: this.powerOnState };
      case 'interlock': {
        const { interlock = [] } = this.options;
        return { Interlock: this.word(interlock.length > 0), Groups: interlock.join() };
      }
      case 'statetext':
        return { [`StateText${index}`]: this.word(index === '2') };
      case 'state':
        return this.relays();
      case 'status':
        if (value === '2') return { StatusFWR: firmware };
        if (value === '10') return { StatusSNS: this.sensors() };
        return { Command: 'Unknown' };
      case 'delay':
        return { Delay: this.backlog.length > 0 ? this.delay : 0 };
      case 'backlog':
        return this.append(value);
      default:
        return { Command: 'Unknown' };
    }
  }

  private power(index: string, value: string): Told {
    const relay = index === '' ? '1' : index;
    const on = states.get(value);
    if (relay === '0') {
      if (on !== undefined)
        for (const each of this.device.board.names()) this.device.turn(each, on);
      return this.relays(on);
    }
    if (!this.device.board.has(relay)) return { Command: 'Unknown' };
    const wanted = value === 'toggle' || value === '2' ? !this.device.board.isOn(relay) : on;
    if (wanted !== undefined) this.device.turn(relay, wanted);
    const { interlock = [] } = this.options;
    for (const other of wanted && interlock.includes(relay) ? interlock : [])
      if (other !== relay) this.device.turn(other, false);
    return { [this.key(relay)]: this.word(wanted ?? this.device.board.isOn(relay)) };
  }

  private pulseTime(relay: string, value: string): Told {
    if (!this.device.board.has(relay)) return { Command: 'Unknown' };
    if (/^\d{1,5}$/.test(value)) this.pulseTimes.set(relay, Number(value));
    return { [`PulseTime${relay}`]: { Set: this.pulseTimes.get(relay) ?? 0, Remaining: 0 } };
  }

  private append(commands: string): Told {
    this.device.act();
    this.backlog.push(...commands.split(';').map((command) => command.trim()));
    if (!this.isWaiting) this.next(0);
    return {};
  }

  private next(tenths: number): void {
    this.isWaiting = true;
    this.delay = tenths;
    this.device.after(tenths / 10, () => {
      const command = this.backlog.shift();
      this.isWaiting = command !== undefined;
      if (command === undefined) return;
      const delay = /^delay (\d{1,4})$/i.exec(command)?.[1];
      if (delay === undefined) this.execute(command);
      const asked = Number(delay ?? leastDelay);
      this.next(asked >= leastDelay && asked <= 3600 ? asked : leastDelay);
    });
  }

  private word(on: boolean): string {
    return (this.options.stateText ?? ['OFF', 'ON'])[on ? 1 : 0];
  }

  private key(relay: string): string {
    const alone = this.device.board.names().length === 1 && !this.options.setOption26;
    return alone ? 'POWER' : `POWER${relay}`;
  }

  private relays(as?: boolean): Told {
    const relays = this.device.board.names().map((relay) => {
      return [this.key(relay), this.word(as ?? this.device.board.isOn(relay))] as const;
    });
    return { Time, Uptime: '0T00:10:00', ...Object.fromEntries(relays) };
  }

  private sensors(): Told {
    const { meters = 'each' } = this.options;
    if (meters === 'none') return { Time };
    const each = this.device.board.names().map((relay) => this.device.board.watts(relay));
    const sum = each.reduce((total, watts) => total + watts, 0);
    const power = meters === 'each' && each.length > 1 ? each : sum;
    return { Time, ENERGY: { Total: 3.185, Power: power, Voltage: 230 } };
  }
}
