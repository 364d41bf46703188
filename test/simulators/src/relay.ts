/**
 * A TCP relay in front of a simulator or a real program. It injects the faults of a network, which a test gives as data: {@link NetworkFault}.
 * Without one, all bytes pass unchanged. While it is closed, connections are refused.
 */
import { Socket } from 'node:net';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { CallLog } from './cloud/call-log.ts';
import { Listener } from './listener.ts';

const all = Number.POSITIVE_INFINITY;

export interface NetworkFault {
  /** Affects requests that contain this; default: all connections. */
  at?: RegExp;
  /** How many bytes still pass, of the request or of the response; default: none of either. */
  after?: { sent: number } | { answered: number };
  /**
   * - `reset`: the connection is reset; `end`: it ends
   * - `silence`: nothing passes any more, though the connection stays open
   * - `wait`: each packet waits for `milliseconds`, or until the fault ends; `drip`: the response passes byte by byte
   * - `garbage`: instead of a response, bytes that are neither text nor HTTP
   */
  effect: 'reset' | 'end' | 'silence' | 'wait' | 'drip' | 'garbage';
  milliseconds?: number;
  /** How many connections it affects; default: all until it ends. */
  times?: number;
}

interface Counterpart {
  /** Read again for each connection. */
  readonly port: number;
  /** Also that of the relay; default: 127.0.0.1. */
  readonly host?: string;
}

export class Relay {
  readonly host: string;
  private readonly listener: Listener;
  private readonly faults: InjectedFault[] = [];
  private readonly links = new Set<Link>();

  constructor(counterpart: Counterpart) {
    const { host = '127.0.0.1' } = counterpart;
    this.host = host;
    this.listener = new Listener(host, 0, (near) => {
      const link = new Link(near, this.faults);
      this.links.add(link);
      link.far.on('close', () => this.links.delete(link));
      if (!link.isBroken) link.far.connect(counterpart.port, host);
    });
  }

  get port(): number {
    return this.listener.port;
  }

  /** `127.0.0.1:PORT` */
  get endpoint(): string {
    return `${this.host}:${this.port}`;
  }

  /** `http://127.0.0.1:PORT` */
  get url(): string {
    return `http://${this.endpoint}`;
  }

  /** The oldest fault that applies strikes. */
  inject(data: NetworkFault): InjectedFault {
    const fault = new InjectedFault(data);
    this.faults.push(fault);
    return fault;
  }

  /** Ends all faults. */
  mend(): void {
    for (const fault of this.faults.splice(0)) fault.end();
  }

  /** Resets all connections, and returns their number. */
  cut(): number {
    return this.listener.cut();
  }

  /** Connections are refused, and open ones end. */
  async close(): Promise<void> {
    for (const { far } of this.links) far.destroy();
    await this.listener.close();
  }

  /** On its previous port. */
  async open(): Promise<void> {
    await this.listener.open();
  }
}

export async function startRelay(counterpart: Counterpart): Promise<Relay> {
  const relay = new Relay(counterpart);
  await relay.open();
  return relay;
}

class InjectedFault {
  /** @internal */
  readonly data: NetworkFault;
  /** @internal Those that it has struck. */
  readonly links = new CallLog<Link>();
  /** @internal */
  readonly over = Promise.withResolvers<void>();
  /** @internal */
  isOver = false;
  private left: number;

  constructor(data: NetworkFault) {
    this.data = data;
    this.left = data.times ?? all;
  }

  /** Connections that it has struck. */
  get hits(): number {
    return this.links.calls.length;
  }

  /** Resolves once it has struck so many connections. */
  async struck(count = 1): Promise<void> {
    await this.links.until(() => this.hits >= count);
  }

  /** Resolves once clients have given up so many of them. */
  async givenUp(count = 1): Promise<void> {
    await this.links.seen(count, ({ near }) => near.destroyed);
  }

  /** Affects nothing more. What waits passes; what is broken stays broken. */
  end(): void {
    this.isOver = true;
    this.over.resolve();
  }

  /** @internal Whether it affects the connection of this request. */
  takes(request: string): boolean {
    const { at } = this.data;
    if (this.isOver || this.left === 0 || at?.test(request) === false) return false;
    this.left -= 1;
    return true;
  }
}

type Direction = 'sent' | 'answered';

const longestRequest = 64 * 1024;
const garbage = Buffer.from(Array.from({ length: 256 }, (_, index) => 255 - index));

/** A client's connection, and the one to the counterpart. */
class Link {
  readonly near: Socket;
  readonly far = new Socket().setNoDelay();
  /** Nothing passes any more. */
  isBroken = false;
  private readonly faults: readonly InjectedFault[];
  private fault: InjectedFault | undefined;
  /** What the client has sent since the last response. */
  private request = '';
  /** Bytes that pass before the fault strikes. */
  private left = { sent: 0, answered: 0 };

  constructor(near: Socket, faults: readonly InjectedFault[]) {
    const { far } = this;
    this.near = near;
    this.faults = faults;
    this.lead(near, far, 'sent');
    this.lead(far, near, 'answered');
    this.choose();
  }

  private lead(from: Socket, to: Socket, direction: Direction): void {
    let passing = Promise.resolve();
    from.on('data', (bytes) => {
      from.pause();
      passing = this.pass(to, direction, bytes).then(() => void from.resume());
    });
    from.on('error', () => this.isBroken || to.resetAndDestroy());
    from.on('close', async () => {
      await passing;
      if (direction === 'sent' || !this.isBroken) to.destroySoon();
    });
  }

  private choose(): void {
    if (this.fault?.isOver && !this.isBroken) this.fault = undefined;
    if (this.fault) return;
    this.fault = this.faults.find((fault) => fault.takes(this.request));
    if (!this.fault) return;
    const { after } = this.fault.data;
    if (after) this.left = { sent: all, answered: all, ...after };
    else this.strike(this.fault);
  }

  private async pass(to: Socket, direction: Direction, bytes: Buffer): Promise<void> {
    if (direction === 'answered') this.request = '';
    else if (this.request.length < longestRequest) this.request += bytes.toString('latin1');
    this.choose();
    const { fault, left } = this;
    if (!fault) return write(to, bytes);
    const before = bytes.subarray(0, left[direction]);
    left[direction] -= before.length;
    await write(to, before);
    if (before.length < bytes.length) {
      if (!fault.links.calls.includes(this)) this.strike(fault);
      await this.distort(fault, to, direction, bytes.subarray(before.length));
    }
  }

  private strike(fault: InjectedFault): void {
    const { near, far } = this;
    const { effect } = fault.data;
    this.left = { sent: 0, answered: 0 };
    this.isBroken = ['reset', 'end', 'silence', 'garbage'].includes(effect);
    fault.links.arrive(this);
    near.on('close', () => fault.links.update());
    if (effect === 'reset') near.resetAndDestroy();
    if (effect === 'end') near.end();
    if (effect === 'garbage') near.end(garbage);
    if (this.isBroken && effect !== 'silence') far.destroy();
  }

  private async distort(
    { data: { effect, milliseconds }, over }: InjectedFault,
    to: Socket,
    direction: Direction,
    bytes: Buffer,
  ): Promise<void> {
    if (this.isBroken) return;
    if (effect === 'wait') await (milliseconds === undefined ? over.promise : sleep(milliseconds));
    if (effect !== 'drip' || direction === 'sent') return write(to, bytes);
    for (const byte of bytes) {
      await write(to, Buffer.of(byte));
      await turn();
    }
  }
}

/** Resolves once it is passed on, or the connection has ended. */
async function write(to: Socket, bytes: Buffer): Promise<void> {
  await new Promise<void>((resolve) => to.write(bytes, () => resolve()));
}
