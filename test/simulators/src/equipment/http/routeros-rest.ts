/**
 * MikroTik RouterOS 7: the PoE menu of its REST API. GET lists, PATCH sets one row, POST calls a command of the menu with
 * its arguments as JSON. Every value that it answers is text. A command without `numbers` (or `.id`) is rejected.
 *
 * `power-cycle` leaves `poe-out` as it is and cuts the power for `duration` (0 to 1 minute, 5 s when absent), by itself.
 *
 * Sources: help.mikrotik.com, "REST API" (methods, errors, strings) and "PoE-Out" (poe-out, power-cycle, monitor); the
 * argument `numbers` of power-cycle as clients use it against hardware, others use `.id` or `/execute`. Assumed: the exact
 * words of `detail`.
 *
 * No recording: its state matters, because ports are switched, and cycle by themselves.
 */
import { parseJson } from '@skolo/base';
import { z } from 'zod';
import type { OutletBoard } from '../device.ts';
import {
  type Call,
  type HttpDevice,
  type HttpDeviceOptions,
  numbered,
  outletsOn,
  startHttpDevice,
  type Tls,
} from './http-device.ts';
import type { Account, Answer } from './http-message.ts';
import { basic } from './sign-in.ts';

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
const Settings = z.object({ 'poe-out': Mode.optional() });
const Arguments = z.object({
  numbers: z.string().optional(),
  '.id': z.string().optional(),
  duration: z.string().optional(),
  once: z.string().optional(),
});

export function startRouterosRest(options: RouterosRestOptions = {}): Promise<HttpDevice> {
  const { portCount = 8, account = { username: 'admin', password: '' } } = options;
  const poe = new PoeMenu();
  return startHttpDevice(
    {
      model: 'routeros',
      board: outletsOn(
        numbered(portCount).map((number) => `ether${number}`),
        'auto-on',
      ),
      signIn: basic(account, 'rest', { body: failure(401, 'Unauthorized').body ?? '' }),
      routes: {
        [`GET ${menu}`]: ({ device }) => ({
          body: device.board.names().map((port) => poe.row(device, port)),
        }),
        [`PATCH ${menu}/:number`]: ({ device, body, parts: [number = ''] }) => {
          const port = byNumber(device, decodeURIComponent(number));
          return port === undefined ? undefined : poe.set(device, port, body);
        },
        [`POST ${menu}/:command`]: (call) => poe.command(call),
      },
      notFound: failure(404, 'Not Found'),
      afterPowerFailure: ({ board }) => poe.afterPowerFailure(board),
    },
    options,
  );
}

class PoeMenu {
  /** Ports that are off for a while. */
  private readonly cycling = new Map<string, () => void>();

  /** What is set, which a power cycle of its own does not change. */
  private poeOut({ board }: HttpDevice, port: string): string {
    const isSet = board.isOn(port) || this.cycling.has(port);
    return isSet ? (board.get(port).mode ?? 'auto-on') : 'off';
  }

  row(device: HttpDevice, port: string): Record<string, string> {
    return {
      '.id': idOf(device, port),
      name: port,
      'poe-out': this.poeOut(device, port),
      'poe-priority': '10',
      'power-cycle-ping-enabled': 'false',
    };
  }

  set(device: HttpDevice, port: string, body: string): Answer {
    const settings = Settings.safeParse(parseJson(body));
    if (!settings.success) return failure(400, 'input does not match any value of poe-out');
    const mode = settings.data['poe-out'];
    if (mode !== undefined) {
      this.cycling.get(port)?.();
      this.cycling.delete(port);
      const isObeyed = !device.faults.has('ignores-commands');
      if (mode !== 'off' && isObeyed) device.board.setMode(port, mode);
      device.turn(port, mode !== 'off');
    }
    return { body: { ...this.row(device, port), ...(mode !== undefined && { 'poe-out': mode }) } };
  }

  command({ device, body, parts: [name] }: Call): Answer {
    const given = Arguments.safeParse(parseJson(body)).data;
    const numbers = (given?.numbers ?? given?.['.id'])?.split(',');
    if (given === undefined || numbers === undefined) return failure(400, 'missing =.id=');
    const ports: string[] = [];
    for (const number of numbers) {
      const port = byNumber(device, number);
      if (port === undefined) return failure(400, 'no such item');
      ports.push(port);
    }
    switch (name) {
      case 'power-cycle':
        return this.powerCycle(device, ports, given.duration ?? '5s');
      case 'monitor':
        if (given.once === undefined) return failure(400, 'Session closed after 60 s');
        return { body: ports.map((port) => this.monitor(device, port)) };
      default:
        return failure(400, 'no such command');
    }
  }

  private powerCycle(device: HttpDevice, ports: readonly string[], duration: string): Answer {
    const seconds = Number(/^(\d{1,2})s$/.exec(duration)?.[1] ?? Number.NaN);
    if (!(seconds <= 60)) return failure(400, 'value of duration out of range (0..00:01:00)');
    for (const port of ports) {
      if (!device.board.isOn(port)) continue;
      const callOff = device.after(seconds, () => {
        this.cycling.delete(port);
        device.turn(port, true);
      });
      this.cycling.set(port, callOff);
      device.turn(port, false);
    }
    return { body: [] };
  }

  private monitor(device: HttpDevice, port: string): Record<string, string> {
    const watts = device.board.watts(port);
    const noLoad = device.board.isFaulty(port) ? 'short-circuit' : 'waiting-for-load';
    const idle = this.poeOut(device, port) === 'off' ? 'off' : noLoad;
    const status = this.cycling.has(port) ? 'power_reset' : watts > 0 ? 'powered-on' : idle;
    return {
      name: port,
      'poe-out': this.poeOut(device, port),
      'poe-out-status': status,
      ...(watts > 0 && {
        'poe-out-voltage': '53.1',
        'poe-out-current': String(Math.round((watts / 53.1) * 1000)),
        'poe-out-power': watts.toFixed(1),
      }),
    };
  }

  afterPowerFailure(board: OutletBoard): void {
    for (const [port] of this.cycling) board.set(port, true);
    this.cycling.clear();
  }
}

/** By its name or its id. */
function byNumber(device: HttpDevice, given: string): string | undefined {
  return device.board.names().find((name) => name === given || idOf(device, name) === given);
}

function idOf({ board }: HttpDevice, port: string): string {
  return `*${(board.names().indexOf(port) + 1).toString(16).toUpperCase()}`;
}

const messages: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  404: 'Not Found',
};

function failure(status: number, detail: string): Answer {
  return { status, body: { error: status, message: messages[status], detail } };
}
