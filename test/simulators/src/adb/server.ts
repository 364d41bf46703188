/**
 * adb's server on a port of 127.0.0.1, with simulated phones. ANDROID_ADB_SERVER_PORT directs a client to it.
 *
 * After `host:kill` it restarts immediately on the same port, because a real client would start a real server on it, which has no phones.
 * For a server that can be killed as a process, see installation.ts.
 */
import { EventEmitter } from 'node:events';
import type { Received } from '../equipment/device.ts';
import { Listener } from '../listener.ts';
import { type AndroidOptions, SimulatedAndroid } from './android.ts';
import { serveDevice } from './device-service.ts';
import { answerHost } from './host-service.ts';
import {
  listText,
  parseHostRequest,
  parseTransport,
  pick,
  refusal,
  type Target,
} from './targets.ts';
import { Client, fail, okay, sized } from './wire.ts';

interface AdbServerOptions {
  phones?: readonly AndroidOptions[];
  /** Default: any free one. */
  port?: number;
  /** Instead of restarting after `host:kill`. */
  onKill?: () => void;
}

export class SimulatedAdbServer {
  /** By serial, in the order in which they were added. */
  readonly phones: ReadonlyMap<string, SimulatedAndroid>;
  /** Received requests, oldest first: `host:version`, `host:tport:serial:A`, `shell:getprop`. */
  readonly received: Received[] = [];
  /** How often it was started, including the first time. */
  starts = 1;
  private readonly shelf = new Map<string, SimulatedAndroid>();
  private readonly clients = new Set<Client>();
  private readonly changes = new EventEmitter<{ change: [] }>();
  private readonly listener: Listener;
  private readonly onKill: () => void;

  constructor({ phones = [], port = 0, onKill }: AdbServerOptions) {
    this.phones = this.shelf;
    this.changes.setMaxListeners(0);
    this.onKill = onKill ?? (() => this.restart());
    this.listener = new Listener('127.0.0.1', port, (socket) => {
      const client = new Client(socket);
      this.clients.add(client);
      socket.on('close', () => this.clients.delete(client));
      this.serve(client).catch(() => client.cut());
    });
    for (const phone of phones) this.add(phone);
  }

  get port(): number {
    return this.listener.port;
  }

  async open(): Promise<void> {
    await this.listener.open();
  }

  /** @throws RangeError There is none with that serial; without one: there is not exactly one. */
  phone(serial?: string): SimulatedAndroid {
    const [first, ...others] = this.shelf.values();
    const found = serial === undefined ? first : this.shelf.get(serial);
    if (!found) throw new RangeError(`no phone ${serial ?? ''}`);
    if (serial === undefined && others.length > 0)
      throw new RangeError('which phone? give its serial');
    return found;
  }

  /** Adds a phone. A second one with a serial number is `SERIAL on USB`. */
  add(options: AndroidOptions): SimulatedAndroid {
    const phone = new SimulatedAndroid({ usb: `1-1.${this.shelf.size + 1}`, ...options });
    const hasTwin = this.shelf.has(phone.serial);
    this.shelf.set(hasTwin ? `${phone.serial} on ${phone.usb}` : phone.serial, phone);
    phone.onChange(() => this.changes.emit('change'));
    this.changes.emit('change');
    return phone;
  }

  /** Those that are open. */
  connections(): number {
    return this.clients.size;
  }

  /** Ends its connections. */
  restart(): void {
    this.starts += 1;
    for (const client of this.clients) client.finish();
  }

  async close(): Promise<void> {
    await this.listener.close();
    for (const phone of this.shelf.values()) phone.close();
  }

  /** The phones that it sees. */
  private seen(): SimulatedAndroid[] {
    return [...this.shelf.values()].filter((phone) => phone.isPresent());
  }

  private async serve(client: Client): Promise<void> {
    let phone: SimulatedAndroid | undefined;
    for (;;) {
      const request = await client.request();
      if (request === undefined) return client.finish();
      this.received.push({ at: Date.now(), text: request });
      if (phone) return serveDevice(client, phone, request);
      const host = parseHostRequest(request);
      if (!host) {
        const isHost = request.startsWith('host');
        return client.finish(
          fail(isHost ? 'unknown host service' : 'device offline (no transport)'),
        );
      }
      phone = await this.serveHost(client, host.service, host.target);
      if (!phone) return;
    }
  }

  /** The phone that this connection leads to from now on. Undefined: the request is complete. */
  private async serveHost(
    client: Client,
    service: string,
    target: Target,
  ): Promise<SimulatedAndroid | undefined> {
    const transport = parseTransport(service);
    if (transport) return this.switchTo(client, transport, service.startsWith('tport:'));
    const [, awaited] = /^wait-for-(?:any|usb|local)-(\w+)$/.exec(service) ?? [];
    if (service === 'kill') {
      client.finish(okay());
      this.onKill();
    } else if (service === 'track-devices') {
      await this.track(client);
    } else if (awaited !== undefined) {
      await this.waitFor(client, target, awaited);
    } else {
      client.finish(answerHost(service, target, this.seen()));
    }
    return undefined;
  }

  private async switchTo(
    client: Client,
    target: Target,
    wantsId: boolean,
  ): Promise<SimulatedAndroid | undefined> {
    const phone = pick(this.seen(), target);
    const why = typeof phone === 'string' ? phone : refusal(phone);
    if (typeof phone === 'string' || why !== undefined) {
      client.finish(fail(why ?? 'unknown'));
      return undefined;
    }
    const id = Buffer.alloc(8);
    id.writeBigUInt64LE(BigInt(phone.transport));
    await client.send(wantsId ? Buffer.concat([okay(), id]) : okay());
    return phone;
  }

  /** The list, now and whenever it changes, for as long as the client listens. */
  private async track(client: Client): Promise<void> {
    let last: string | undefined;
    await client.send(okay());
    await this.watch(client, () => {
      const now = listText(this.seen(), false);
      if (now !== last) client.socket.write(sized(now));
      last = now;
      return false;
    });
  }

  /** `adb wait-for-device`: a second OKAY once the state is reached. */
  private async waitFor(client: Client, target: Target, awaited: string): Promise<void> {
    await client.send(okay());
    await this.watch(client, () => {
      const phone = pick(this.seen(), target);
      const state = typeof phone === 'string' ? 'disconnect' : phone.state;
      const isSo = awaited === 'any' ? state !== 'disconnect' : state === awaited;
      if (isSo) client.finish(okay());
      return isSo;
    });
  }

  /** Calls `look` now and at each change, until it is satisfied or the client leaves. */
  private async watch(client: Client, look: () => boolean): Promise<void> {
    if (look() || client.isGone) return;
    await new Promise<void>((resolve) => {
      const { changes } = this;
      function check() {
        if (look()) stop();
      }
      function stop() {
        changes.off('change', check);
        resolve();
      }
      changes.on('change', check);
      client.socket.once('close', stop);
    });
  }
}

/** Fulfilled once it listens. */
export async function startAdbServer(options: AdbServerOptions = {}): Promise<SimulatedAdbServer> {
  const server = new SimulatedAdbServer(options);
  await server.open();
  return server;
}
