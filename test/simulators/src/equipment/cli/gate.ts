/**
 * The device's network side: accepts, rejects and loses connections.
 *
 * A device that is down keeps its port, and resets connections: a released port could immediately be taken by another process.
 */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { Core } from './core.ts';

interface GateOptions {
  core: Core;
  maxSessions: number;
  busyInside: boolean;
}

export class Gate {
  private readonly options: GateOptions;
  private readonly servers: Server[] = [];
  private readonly sockets = new Set<Socket>();

  constructor(options: GateOptions) {
    this.options = options;
  }

  /** Accepts connections and passes them on; returns the port. */
  async listen(host: string, port: number, take: (socket: Socket) => void): Promise<number> {
    const server = createServer((socket) => this.arrive(socket, take));
    this.servers.push(server);
    server.listen(port, host);
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  }

  /** Ends all connections, like a power failure. */
  dropAll(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.dropAll();
    await Promise.all(
      this.servers.map((server) => new Promise<void>((done) => server.close(() => done()))),
    );
  }

  private arrive(socket: Socket, take: (socket: Socket) => void): void {
    const { core, maxSessions, busyInside } = this.options;
    socket.setNoDelay();
    socket.on('error', () => {});
    if (core.faults.has('down')) {
      socket.resetAndDestroy();
      return;
    }
    const full = this.sockets.size >= maxSessions;
    if (full || (core.faults.has('busy') && !busyInside)) {
      socket.destroy();
      return;
    }
    this.sockets.add(socket);
    socket.on('close', () => this.sockets.delete(socket));
    // A client that met a wedged device stays unanswered, even after it recovers.
    if (!core.faults.has('wedged')) take(socket);
  }
}
