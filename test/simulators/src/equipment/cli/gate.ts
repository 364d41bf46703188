/**
 * The device's network side: takes connections, rejects them, loses them.
 *
 * A device that is down keeps its port, and resets who connects: a port that was let go could be somebody else's a moment
 * later.
 */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { Core } from './core.ts';

interface GateOptions {
  core: Core;
  maxSessions: number;
  keepsDeadSessions: boolean;
  busyInside: boolean;
}

/** How long a device counts a session that died. */
const DEAD_SESSION_SECONDS = 300;

export class Gate {
  private readonly options: GateOptions;
  private readonly servers: Server[] = [];
  /** Whether it has been signed out properly. */
  private readonly sockets = new Map<Socket, { signedOut: boolean }>();
  private dead = 0;

  constructor(options: GateOptions) {
    this.options = options;
  }

  /** Takes connections there and hands them over; the answer is the port. */
  async listen(host: string, port: number, take: (socket: Socket) => void): Promise<number> {
    const server = createServer((socket) => this.arrive(socket, take));
    this.servers.push(server);
    server.listen(port, host);
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  }

  /** The session of this connection has been ended in the proper way. */
  signedOut(socket: Socket): void {
    const state = this.sockets.get(socket);
    if (state) state.signedOut = true;
  }

  /** Ends all connections, as a power failure does. */
  dropAll(): void {
    for (const [socket, state] of this.sockets) {
      state.signedOut = true;
      socket.destroy();
    }
    this.dead = 0;
  }

  async close(): Promise<void> {
    this.dropAll();
    await Promise.all(
      this.servers.map((server) => new Promise<void>((done) => server.close(() => done()))),
    );
  }

  private arrive(socket: Socket, take: (socket: Socket) => void): void {
    const { core, maxSessions, keepsDeadSessions, busyInside } = this.options;
    socket.setNoDelay();
    socket.on('error', () => {});
    if (core.faults.has('down')) {
      socket.resetAndDestroy();
      return;
    }
    const full = this.sockets.size + this.dead >= maxSessions;
    if (full || (core.faults.has('busy') && !busyInside)) {
      socket.destroy();
      return;
    }
    const state = { signedOut: false };
    this.sockets.set(socket, state);
    socket.on('close', () => {
      this.sockets.delete(socket);
      if (!keepsDeadSessions || state.signedOut) return;
      this.dead += 1;
      core.later(DEAD_SESSION_SECONDS, () => {
        this.dead -= 1;
      });
    });
    // Whoever met a wedged device stays unanswered, also when it wakes up again.
    if (!core.faults.has('wedged')) take(socket);
  }
}
