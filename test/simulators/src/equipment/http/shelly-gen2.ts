/**
 * Shelly of the second generation and later: JSON-RPC by `POST /rpc`, or one method by `GET /rpc/METHOD?params`.
 * Switches are counted from 0. `toggle_after` flips a switch back by itself; a later command calls that off.
 *
 * A request to `/rpc` is answered with status 200 and a frame that holds `result` or `error`; one to `/rpc/METHOD` with
 * the bare result, or with 500 and the bare error. Signing in is by digest with SHA-256 as the user `admin`; `/shelly` and
 * Shelly.GetDeviceInfo need none. (The `auth` object inside of frames, for websockets, is not spoken here.)
 *
 * Sources: shelly-api-docs.shelly.cloud/gen2 (RPCProtocol, Authentication, Switch); the HTTP channel of mongoose-os
 * rpc-common, which the firmware is built on; labgrid's shelly_gen2 backend.
 */
import { z } from 'zod';
import { HttpDevice, type HttpDeviceOptions, numbered, outletsOn } from './http-device.ts';
import type { Answer, Asked } from './http-message.ts';
import { Digest } from './sign-in.ts';

export interface ShellyGen2Options extends HttpDeviceOptions {
  /** 1 when absent. */
  outlets?: number;
  /** Of the user `admin`; nobody need sign in when absent. */
  password?: string;
  /** Whether its switches measure; they do when absent. */
  meters?: boolean;
  /** After the mains came back; as before when absent. */
  initialState?: 'on' | 'off' | 'restore_last';
}

const Params = z.object({
  id: z.number().int().optional(),
  on: z.boolean().optional(),
  toggle_after: z.number().nonnegative().optional(),
});
const Frame = z.object({
  id: z.union([z.number(), z.string()]),
  method: z.string(),
  params: Params.default({}),
});

const id = 'shellypro4pm-a8032ab12345';

interface Failure {
  code: number;
  message: string;
}
type Outcome = { result: object } | { error: Failure };

export async function startShellyGen2(
  options: ShellyGen2Options = {},
): Promise<SimulatedShellyGen2> {
  const device = new SimulatedShellyGen2(options);
  await device.start();
  return device;
}

export class SimulatedShellyGen2 extends HttpDevice {
  readonly model = 'shelly-gen2';
  private readonly options: ShellyGen2Options;
  private readonly digest = new Digest(id, 'SHA-256');
  private readonly flips = new Map<string, { callOff(): void; seconds: number }>();

  constructor(options: ShellyGen2Options) {
    super(outletsOn(numbered(options.outlets ?? 1, 0)), options);
    this.options = options;
  }

  protected isSignedIn(asked: Asked): boolean {
    const { password } = this.options;
    if (password === undefined || asked.path === '/shelly') return true;
    if (asked.path === '/rpc/Shelly.GetDeviceInfo') return true;
    return this.digest.fits(asked, { username: 'admin', password });
  }

  protected refusal(): Answer {
    return { status: 401, headers: { 'www-authenticate': this.digest.challenge() } };
  }

  protected answer({ path, params, body }: Asked): Answer {
    if (path === '/shelly') return { body: this.identity() };
    if (path === '/rpc') return { body: this.frame(body) };
    const [, method] = /^\/rpc\/([\w.]+)$/.exec(path) ?? [];
    if (method === undefined) return { status: 404, body: 'Not Found' };
    const given = Params.safeParse(
      Object.fromEntries([...params].map(([key, value]) => [key, parsed(value)])),
    );
    const outcome = given.success ? this.call(method, given.data) : badArguments();
    return 'error' in outcome
      ? { status: 500, body: outcome.error }
      : { status: 200, body: outcome.result };
  }

  protected override afterPowerFailure(): void {
    this.flips.clear();
    const { initialState = 'restore_last' } = this.options;
    if (initialState === 'restore_last') return;
    for (const relay of this.board.names()) this.board.set(relay, initialState === 'on');
  }

  private frame(body: string): object {
    const frame = Frame.safeParse(parsed(body));
    if (!frame.success) return { id: null, src: id, ...badArguments() };
    return { id: frame.data.id, src: id, ...this.call(frame.data.method, frame.data.params) };
  }

  private call(method: string, params: z.infer<typeof Params>): Outcome {
    if (method === 'Shelly.GetDeviceInfo') return { result: this.identity() };
    if (method === 'Shelly.GetStatus') {
      const switches = this.board.names().map((relay) => [`switch:${relay}`, this.status(relay)]);
      return { result: { sys: { uptime: 600 }, ...Object.fromEntries(switches) } };
    }
    if (!/^Switch\.(Set|Toggle|GetStatus)$/.test(method)) {
      return { error: { code: 404, message: `No handler for ${method}` } };
    }
    const relay = String(params.id ?? '');
    if (params.id === undefined) {
      return { error: { code: -103, message: "Missing required argument 'id'!" } };
    }
    if (!this.board.has(relay)) {
      return { error: { code: -105, message: `Argument 'id', value ${relay} not found!` } };
    }
    if (method === 'Switch.GetStatus') return { result: this.status(relay) };
    const on = method === 'Switch.Toggle' ? !this.board.isOn(relay) : params.on;
    if (on === undefined) {
      return { error: { code: -103, message: "Missing required argument 'on'!" } };
    }
    return { result: this.switch(relay, on, params.toggle_after) };
  }

  private switch(relay: string, on: boolean, seconds: number | undefined): object {
    const was = this.board.isOn(relay);
    this.flips.get(relay)?.callOff();
    this.flips.delete(relay);
    this.turn(relay, on);
    if (seconds !== undefined) {
      const callOff = this.after(seconds, () => {
        this.flips.delete(relay);
        this.turn(relay, !on);
      });
      this.flips.set(relay, { callOff, seconds });
    }
    return { was_on: was };
  }

  private identity() {
    return {
      name: null,
      id,
      mac: 'A8032AB12345',
      model: 'SPSW-004PE16EU',
      gen: 2,
      ver: '1.4.4',
      app: 'Pro4PM',
      auth_en: this.options.password !== undefined,
      auth_domain: this.options.password === undefined ? null : id,
    };
  }

  private status(relay: string) {
    const flip = this.flips.get(relay);
    return {
      id: Number(relay),
      source: 'HTTP_in',
      output: this.board.isOn(relay),
      ...(flip && { timer_started_at: 1_764_000_000, timer_duration: flip.seconds }),
      ...(this.options.meters !== false && { apower: this.board.watts(relay), voltage: 230.1 }),
      temperature: { tC: 41.2, tF: 106.2 },
    };
  }
}

function badArguments(): { error: Failure } {
  return { error: { code: -103, message: 'Bad request' } };
}

function parsed(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}
