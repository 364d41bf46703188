/**
 * MikroTik RouterOS 7: the PoE menu of its REST API. GET lists, PATCH sets one row, POST calls a command of the menu with
 * its arguments as JSON. Every value that it answers is text. A command without `numbers` (or `.id`) is refused.
 *
 * `power-cycle` leaves `poe-out` as it is and cuts the power for `duration` (0 to 1 minute, 5 s when absent), by itself.
 *
 * Sources: help.mikrotik.com, "REST API" (methods, errors, strings) and "PoE-Out" (poe-out, power-cycle, monitor); the
 * argument `numbers` of power-cycle as clients use it against hardware, others use `.id` or `/execute`. Assumed: the exact
 * words of `detail`.
 */
import { z } from 'zod';
import {
  HttpDevice,
  type HttpDeviceOptions,
  numbered,
  outletsOn,
  type Tls,
} from './http-device.ts';
import type { Account, Answer, Asked } from './http-message.ts';
import { basicFits } from './sign-in.ts';

export interface RouterosRestOptions extends HttpDeviceOptions {
  /** Ports with PoE, from ether1; 8 when absent. */
  portCount?: number;
  /** admin without a password, as delivered, when absent. */
  account?: Account;
  /** https with a certificate that it signed itself. */
  tls?: Tls;
}

const menu = '/rest/interface/ethernet/poe';
const Mode = z.enum(['off', 'auto-on', 'forced-on']);
const Settings = z.object({ 'poe-out': Mode.optional(), '.id': z.string().optional() });
const Arguments = z.object({
  numbers: z.string().optional(),
  '.id': z.string().optional(),
  duration: z.string().optional(),
  once: z.string().optional(),
});

export async function startRouterosRest(
  options: RouterosRestOptions = {},
): Promise<SimulatedRouterosRest> {
  const device = new SimulatedRouterosRest(options);
  await device.start();
  return device;
}

export class SimulatedRouterosRest extends HttpDevice {
  readonly model = 'routeros';
  private readonly options: RouterosRestOptions;
  private readonly cycling = new Map<string, () => void>();

  constructor(options: RouterosRestOptions) {
    const names = numbered(options.portCount ?? 8).map((number) => `ether${number}`);
    super(outletsOn(names, 'auto-on'), options);
    this.options = options;
  }

  protected isSignedIn(asked: Asked): boolean {
    return basicFits(asked, this.options.account ?? { username: 'admin', password: '' });
  }

  protected refusal(): Answer {
    const headers = { 'www-authenticate': 'Basic realm="rest"' };
    return { ...failure(401, 'Unauthorized'), headers };
  }

  protected answer({ method, path, params, body }: Asked): Answer {
    if (path === menu && method === 'GET') {
      const name = params.get('name');
      const names = this.board.names().filter((port) => name === null || port === name);
      return { body: names.map((port) => this.row(port)) };
    }
    const [, last] = new RegExp(`^${menu}/([^/]+)$`).exec(decodeURIComponent(path)) ?? [];
    if (last === undefined) return failure(404, 'Not Found');
    const port = this.byNumber(last);
    if (method === 'GET' && port) return { body: this.row(port) };
    if (method === 'PATCH') return port ? this.set(port, body) : failure(404, 'Not Found');
    if (method === 'POST') return this.call(last, body);
    return failure(404, 'Not Found');
  }

  protected override afterPowerFailure(): void {
    for (const [port] of this.cycling) this.board.set(port, true);
    this.cycling.clear();
  }

  /** By its name or its id. */
  private byNumber(given: string): string | undefined {
    return this.board.names().find((name) => name === given || this.id(name) === given);
  }

  private id(port: string): string {
    return `*${(this.board.names().indexOf(port) + 1).toString(16).toUpperCase()}`;
  }

  private mode(port: string): string {
    return this.board.get(port).mode ?? 'auto-on';
  }

  /** What is set, which a power cycle of its own does not change. */
  private poeOut(port: string): string {
    return this.board.isOn(port) || this.cycling.has(port) ? this.mode(port) : 'off';
  }

  private row(port: string): Record<string, string> {
    return {
      '.id': this.id(port),
      name: port,
      'poe-out': this.poeOut(port),
      'poe-priority': '10',
      'power-cycle-ping-enabled': 'false',
    };
  }

  private set(port: string, body: string): Answer {
    const settings = Settings.safeParse(parsed(body));
    if (!settings.success) return failure(400, 'input does not match any value of poe-out');
    const mode = settings.data['poe-out'];
    if (mode !== undefined) {
      this.cycling.get(port)?.();
      this.cycling.delete(port);
      if (mode !== 'off' && !this.faults.has('ignores-commands')) this.board.setMode(port, mode);
      this.turn(port, mode !== 'off');
    }
    return { body: { ...this.row(port), ...(mode !== undefined && { 'poe-out': mode }) } };
  }

  private call(command: string, body: string): Answer {
    const given = Arguments.safeParse(parsed(body)).data;
    const numbers = (given?.numbers ?? given?.['.id'])?.split(',');
    if (given === undefined || numbers === undefined) {
      return failure(400, 'missing =.id=');
    }
    const ports: string[] = [];
    for (const number of numbers) {
      const port = this.byNumber(number);
      if (port === undefined) return failure(400, 'no such item');
      ports.push(port);
    }
    switch (command) {
      case 'set': {
        const [answer] = ports.map((port) => this.set(port, body));
        return answer?.status === 400 ? answer : { body: [] };
      }
      case 'power-cycle':
        return this.powerCycle(ports, given.duration ?? '5s');
      case 'monitor':
        if (given.once === undefined) return failure(400, 'Session closed after 60 s');
        return { body: ports.map((port) => this.monitor(port)) };
      default:
        return failure(400, 'no such command');
    }
  }

  private powerCycle(ports: readonly string[], duration: string): Answer {
    const seconds = Number(/^(\d{1,2})s$/.exec(duration)?.[1] ?? Number.NaN);
    if (!(seconds <= 60)) return failure(400, 'value of duration out of range (0..00:01:00)');
    for (const port of ports) {
      if (!this.board.isOn(port)) continue;
      const callOff = this.after(seconds, () => {
        this.cycling.delete(port);
        this.turn(port, true);
      });
      this.cycling.set(port, callOff);
      this.turn(port, false);
    }
    return { body: [] };
  }

  private monitor(port: string): Record<string, string> {
    const watts = this.board.watts(port);
    const noLoad = this.board.isFaulty(port) ? 'short-circuit' : 'waiting-for-load';
    const idle = this.poeOut(port) === 'off' ? 'off' : noLoad;
    const status = this.cycling.has(port) ? 'power_reset' : watts > 0 ? 'powered-on' : idle;
    return {
      name: port,
      'poe-out': this.poeOut(port),
      'poe-out-status': status,
      ...(watts > 0 && {
        'poe-out-voltage': '53.1',
        'poe-out-current': String(Math.round((watts / 53.1) * 1000)),
        'poe-out-power': watts.toFixed(1),
      }),
    };
  }
}

function failure(status: number, detail: string): Answer {
  const messages = new Map([
    [400, 'Bad Request'],
    [401, 'Unauthorized'],
    [404, 'Not Found'],
  ]);
  return { status, body: { error: status, message: messages.get(status), detail } };
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
