/**
 * Decides how many connections a process accepts in total, and which one is closed when there are too many. A client that opens too many
 * loses its own connections, first idle ones, so a neighbour that never completes its headers does not cost anybody else a connection.
 */
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { normaliseAddress } from './client-address.ts';
import { type Connection, trackConnections } from './tracked.ts';

export const ownerKinds = ['machine', 'jumphost', 'neighbours', 'others', 'proxies'] as const;

/** The clients that share a limit. */
export interface Owner {
  kind: (typeof ownerKinds)[number];
  /** Of the one machine. */
  machine?: string;
  /** Connections at once. */
  most: number;
}

/** The addresses of a connection, in the form of normaliseAddress. */
export interface Ends {
  remote: string;
  local: string;
}

export interface ConnectionLimitsDeps {
  ownerOf(ends: Ends): Owner;
  /** The owner of an address that only shows later; undefined: it stays with the one of {@link ownerOf}. Never rejects. */
  laterOwnerOf?(ends: Ends): Promise<Owner | undefined>;
  /** A connection was closed because its owner, or all owners together, had too many. */
  onClosed?(owner: Owner): void;
  /** For all owners together. */
  most?: number;
}

/** 8 KiB of headers for each: 32 MiB. */
export const mostConnections = 4096;

/** Node responds to late headers with 408, and checks for them every second. */
const graceMs = 1000;

export class ConnectionLimits {
  private readonly deps: ConnectionLimitsDeps;
  private readonly owners = new Map<Connection, Owner>();
  private readonly groups = new Map<string, Set<Connection>>();
  private readonly exempted = new WeakSet<Socket>();

  constructor(deps: ConnectionLimitsDeps) {
    this.deps = deps;
  }

  /** Call it before the server listens. */
  guard(server: Server): void {
    const tracked = trackConnections(server);
    server.on('connection', (socket: Socket) => {
      const connection = tracked.of(socket);
      if (connection) this.open(connection, server.headersTimeout + graceMs);
    });
  }

  /** Its request is complete, although it is not HTTP. */
  exempt(socket: Socket): void {
    this.exempted.add(socket);
  }

  private open(connection: Connection, headersWithinMs: number): void {
    const { socket } = connection;
    const ends = endsOf(socket);
    // What has arrived is read after timers. Includes the handshake of TLS.
    const late = setTimeout(() => {
      setImmediate(() => {
        if (connection.request === undefined && !this.exempted.has(socket)) socket.destroy();
      });
    }, headersWithinMs);
    socket.once('close', () => {
      clearTimeout(late);
      this.leave(connection);
    });
    this.assign(connection, this.deps.ownerOf(ends));
    const isFull = this.owners.size > (this.deps.most ?? mostConnections);
    if (isFull) this.closeOneOf(this.owners.keys(), connection);
    void this.deps.laterOwnerOf?.(ends).then((owner) => {
      if (owner && this.owners.has(connection)) this.assign(connection, owner);
    });
  }

  private assign(connection: Connection, owner: Owner): void {
    this.leave(connection);
    this.owners.set(connection, owner);
    const group = this.groups.get(keyOf(owner)) ?? new Set<Connection>();
    this.groups.set(keyOf(owner), group.add(connection));
    if (group.size > owner.most) this.closeOneOf(group, connection);
  }

  private leave(connection: Connection): void {
    const owner = this.owners.get(connection);
    if (owner === undefined) return;
    this.owners.delete(connection);
    const group = this.groups.get(keyOf(owner));
    group?.delete(connection);
    if (group?.size === 0) this.groups.delete(keyOf(owner));
  }

  private closeOneOf(connections: Iterable<Connection>, latest: Connection): void {
    const first = firstToClose(connections, latest, (each) => this.stageOf(each));
    const owner = first && this.owners.get(first);
    if (first === undefined || owner === undefined) return;
    // Its close is only reported later.
    this.leave(first);
    first.socket.destroy();
    this.deps.onClosed?.(owner);
  }

  private stageOf({ socket, request, response }: Connection): Stage {
    if (this.exempted.has(socket)) return 'busy';
    if (!request?.complete) return 'waiting';
    return response?.closed ? 'idle' : 'busy';
  }
}

/** `waiting`: for the rest of a request. In the order in which they are closed. */
const stages = ['waiting', 'idle', 'busy'] as const;
export type Stage = (typeof stages)[number];

/**
 * The connection that has waited longest for the rest of a request; without these the one that is idle longest, then the
 * one that is busy longest. Never the latest one, so that new clients are served.
 */
export function firstToClose<C extends { since: number }>(
  connections: Iterable<C>,
  latest: C,
  stageOf: (connection: C) => Stage,
): C | undefined {
  let first: C | undefined;
  let lowest: number = stages.length;
  for (const each of connections) {
    if (each === latest) continue;
    const stage = stages.indexOf(stageOf(each));
    if (stage > lowest || (first && stage === lowest && each.since >= first.since)) continue;
    first = each;
    lowest = stage;
  }
  return first;
}

function keyOf({ kind, machine = '' }: Owner): string {
  return `${kind} ${machine}`;
}

function endsOf({ remoteAddress = '', localAddress = '' }: Socket): Ends {
  const plain = (address: string) => normaliseAddress(address) ?? 'unknown';
  return { remote: plain(remoteAddress), local: plain(localAddress) };
}

/** Whether both ends are on one computer. */
export function isSameComputer({ remote, local }: Ends): boolean {
  return remote === '127.0.0.1' || remote === '::1' || remote === local;
}
