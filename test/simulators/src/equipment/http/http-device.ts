/**
 * A simulated device with a web server: connections that can be rejected, wedged, slow, cut or held to one at a time;
 * sign-in; a clock of its own for what it does by itself. A model is data: its outlets, how one signs in, and its routes
 * (http-relay.ts is the smallest). Where a model's documents do not tell how it fails, it fails here as small web servers do.
 */
import {
  createServer as createWebServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { Listener } from '../../listener.ts';
import {
  type DeviceFault,
  Faults,
  OutletBoard,
  type Received,
  type SimulatedDevice,
  type SimulatedOutlet,
  Timers,
} from '../device.ts';
import { type Answer, type Asked, dropMidWay, inBytes } from './http-message.ts';
import { ownCertificate } from './own-certificate.ts';
import type { SignIn } from './sign-in.ts';

export interface HttpDeviceOptions {
  /** 127.0.0.1 when absent. */
  host?: string;
  /** Any free one when absent. */
  port?: number;
  /** How many milliseconds a second of the device takes: 1000 unless a test is in a hurry. */
  secondMs?: number;
  /** A board made elsewhere, in place of outlets that are all on. */
  board?: OutletBoard;
}

/** https, with the key that all simulated devices of this process share, or with one of its own. */
export type Tls = boolean | 'new-key';

const httpFaults: readonly DeviceFault[] = [
  'down',
  'wedged',
  'slow',
  'drops-mid-way',
  'drops-after-command',
  'rejects-login',
  'ignores-commands',
  'garbled',
  'login-page',
  'busy',
  'server-error',
];

/** A page that holds every word somebody may look for. */
const loginPage = `<!DOCTYPE html>
<html><head><title>Sign in</title></head><body>
<form method="post" action="/login.cgi">User <input name="username"> Password <input name="password" type="password">
<p>Outlets 1, 2, 3 and 4 can be turned on and off: $A0 "ison":true {"POWER":"ON"} once you are signed in.</p>
</form></body></html>
`;

/** Outlets that are on and draw 4 W each. */
export function outletsOn(names: Iterable<string>, mode?: string): OutletBoard {
  const on = (): SimulatedOutlet => ({ on: true, watts: 4, ...(mode !== undefined && { mode }) });
  return new OutletBoard([...names].map((name) => [name, on()] as const));
}

/** `1`, `2` … or, from 0, `0`, `1` … */
export function numbered(count: number, first = 1): string[] {
  return Array.from({ length: count }, (_, index) => String(index + first));
}

/** A request to a route. */
export interface Call extends Asked {
  device: HttpDevice;
  /** What stands at `:outlet` in the route; empty where it has none. */
  outlet: string;
  /** What stands at `:name`, in their order. */
  parts: string[];
}

export interface HttpModel {
  model: string;
  board: OutletBoard;
  signIn: SignIn;
  /**
   * By method (`*` is any) and path: `PUT /relay/:outlet/value`. `:outlet` is one that there is, `:name` anything. The first
   * that fits answers; undefined is that there is no such thing.
   */
  routes: Readonly<Record<string, (call: Call) => Answer | undefined>>;
  /** `Not Found` when absent. */
  notFound?: Answer | ((asked: Asked) => Answer);
  /** The request for the log, where it holds a secret. */
  logged?(asked: Asked): string;
  /** After the mains came back; outlets are as before when absent. */
  afterPowerFailure?(device: HttpDevice): void;
  /** Sees `Authorization` only if it is written in exactly this case. */
  exactCase?: boolean;
  /** Serves a client only once the one before has closed its connection. */
  oneClientAtATime?: boolean;
}

/** Starts one. */
export async function startHttpDevice(
  model: HttpModel,
  options: HttpDeviceOptions & { tls?: Tls },
): Promise<HttpDevice> {
  const device = new HttpDevice(model, options);
  await device.start();
  return device;
}

export class HttpDevice implements SimulatedDevice {
  readonly model: string;
  readonly host: string;
  readonly board: OutletBoard;
  readonly received: Received[] = [];
  readonly faults = new Faults(httpFaults);
  readonly sessions = { now: 0, most: 0, opened: 0 };
  private readonly of: HttpModel;
  private readonly routes: Route[];
  private readonly secondMs: number;
  private readonly web: Server;
  private readonly front: Listener;
  private isClosed = false;
  private readonly open = new Set<Socket>();
  private readonly waiting: Socket[] = [];
  private served: Socket | undefined;
  private hasActed = false;
  private readonly timers = new Timers();
  private readonly flips = new Map<string, { callOff(): void; seconds: number }>();

  constructor(model: HttpModel, options: HttpDeviceOptions & { tls?: Tls }) {
    this.of = model;
    this.model = model.model;
    this.routes = Object.entries(model.routes).map(([route, answer]) => routeOf(route, answer));
    this.board = options.board ?? model.board;
    this.host = options.host ?? '127.0.0.1';
    this.front = new Listener(this.host, options.port ?? 0, (socket) => this.admit(socket));
    this.faults.onChange(() => {
      if (!this.isClosed) this.front.setOpen(!this.faults.has('down'));
    });
    this.secondMs = options.secondMs ?? 1000;
    const handle = (request: IncomingMessage, response: ServerResponse) => {
      this.handle(request, response).catch((error) => response.destroy(error));
    };
    const { tls = false } = options;
    this.web = tls
      ? createTlsServer(ownCertificate(tls === 'new-key'), handle)
      : createWebServer(handle);
  }

  get port(): number {
    return this.front.port;
  }

  async start(): Promise<void> {
    await this.front.open();
  }

  async reboot(): Promise<void> {
    this.loseEverything();
    this.flips.clear();
    this.of.afterPowerFailure?.(this);
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.loseEverything();
    await this.front.close();
  }

  /** Notes that the request is a command: `drops-after-command` leaves readings alone. */
  act(): void {
    this.hasActed = true;
  }

  /** Carries out a command, unless it is to be ignored. */
  turn(outlet: string, on: boolean): void {
    this.act();
    if (!this.faults.has('ignores-commands')) this.board.set(outlet, on);
  }

  /** Does something by itself, whoever asked for it may be gone. Gives what calls it off. */
  after(seconds: number, run: () => void): () => void {
    return this.timers.after(seconds * this.secondMs, run);
  }

  /** Turns an outlet, and back by itself after so many seconds. A later command calls that off. */
  flip(outlet: string, on: boolean, seconds?: number): void {
    this.flips.get(outlet)?.callOff();
    this.flips.delete(outlet);
    this.turn(outlet, on);
    if (seconds === undefined) return;
    const callOff = this.after(seconds, () => {
      this.flips.delete(outlet);
      this.turn(outlet, !on);
    });
    this.flips.set(outlet, { callOff, seconds });
  }

  /** After how many seconds an outlet turns back. */
  flipSeconds(outlet: string): number | undefined {
    return this.flips.get(outlet)?.seconds;
  }

  private loseEverything(): void {
    this.timers.clear();
    for (const socket of this.open) socket.destroy();
    this.web.closeAllConnections();
  }

  private admit(socket: Socket): void {
    this.open.add(socket);
    this.sessions.opened += 1;
    this.sessions.now += 1;
    this.sessions.most = Math.max(this.sessions.most, this.sessions.now);
    socket.once('close', () => {
      this.open.delete(socket);
      this.sessions.now -= 1;
      if (this.served === socket) this.serve(this.waiting.shift());
      else if (this.waiting.includes(socket)) this.waiting.splice(this.waiting.indexOf(socket), 1);
    });
    if (this.faults.has('wedged')) socket.resume();
    else if (this.of.oneClientAtATime && this.served) this.waiting.push(socket);
    else this.serve(socket);
  }

  private serve(socket: Socket | undefined): void {
    this.served = socket;
    if (socket) this.web.emit('connection', socket);
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const target = request.url ?? '/';
    const [path = '', query = ''] = target.split(/\?(.*)/s);
    const { method = 'GET', headers, rawHeaders } = request;
    if (this.of.exactCase && !rawHeaders.includes('Authorization')) delete headers.authorization;
    const params = new URLSearchParams(query);
    const body = await text(request);
    const asked: Asked = { method, path, query, params, headers, body, target };
    this.received.push({ at: Date.now(), text: this.of.logged?.(asked) ?? inWords(asked) });
    if (this.faults.has('wedged')) return;
    if (this.faults.has('slow')) {
      await new Promise<void>((resolve) => this.timers.after(this.faults.slowMs, resolve));
    }
    this.hasActed = false;
    const answer = this.answerOrFail(asked);
    if (this.hasActed && this.faults.has('drops-after-command')) {
      request.socket.destroy();
      return;
    }
    const { status, head, content } = inBytes(answer);
    if (this.faults.has('drops-mid-way')) {
      dropMidWay(request.socket, content);
      return;
    }
    response.writeHead(status, {
      ...head,
      ...(this.of.oneClientAtATime && { connection: 'close' }),
    });
    response.end(content);
  }

  private answerOrFail(asked: Asked): Answer {
    if (this.faults.has('server-error')) return { status: 500, body: 'Internal Server Error\n' };
    if (this.faults.has('busy')) return { status: 503, body: 'Another user is logged in.\n' };
    if (this.faults.has('login-page')) return { body: loginPage };
    const { signIn } = this.of;
    if (this.faults.has('rejects-login') || !signIn.fits(asked)) return signIn.rejection();
    const answer = this.answer(asked);
    return this.faults.has('garbled') ? { body: '\u0000\u001b%{]"$A\u0007}[on1' } : answer;
  }

  private answer(asked: Asked): Answer {
    for (const { method, pattern, names, answer } of this.routes) {
      const parts = pattern.exec(asked.path)?.slice(1);
      if (parts === undefined || (method !== '*' && method !== asked.method)) continue;
      const outlet = parts[names.indexOf('outlet')] ?? '';
      if (names.includes('outlet') && !this.board.has(outlet)) continue;
      return answer({ ...asked, device: this, outlet, parts }) ?? this.notFound(asked);
    }
    return this.notFound(asked);
  }

  private notFound(asked: Asked): Answer {
    const { notFound = { status: 404, body: 'Not Found' } } = this.of;
    return typeof notFound === 'function' ? notFound(asked) : notFound;
  }
}

interface Route {
  method: string;
  pattern: RegExp;
  names: string[];
  answer: HttpModel['routes'][string];
}

function routeOf(route: string, answer: Route['answer']): Route {
  const [method = '', path = ''] = route.split(' ');
  const names = [...path.matchAll(/:(\w+)/g)].map(([, name = '']) => name);
  const pattern = path.replace(/[.]/g, '\\.').replace(/:\w+/g, '([^/]+)');
  return { method, pattern: new RegExp(`^${pattern}$`), names, answer };
}

function inWords({ method, target, body }: Asked): string {
  const shown = body.replace(/(\bpassword=|"ha1":")[^&"]*/g, '$1<secret>');
  return `${method} ${target}${shown === '' ? '' : ` ${shown}`}`;
}
