/** The device's network side: accepts, rejects and loses connections. A device that is down closes its ports. */
import type { Socket } from 'node:net';
import { Listener } from '../../listener.ts';
import type { Core } from './core.ts';

interface GateOptions {
  core: Core;
  maxSessions: number;
  busyInside: boolean;
}

export class Gate {
  private readonly options: GateOptions;
  private readonly listeners: Listener[] = [];
  private readonly sockets = new Set<Socket>();
  private isClosed = false;

  constructor(options: GateOptions) {
    this.options = options;
    options.core.faults.onChange(() => this.follow());
  }

  /** Accepts connections and passes them on; returns the port. */
  async listen(host: string, port: number, take: (socket: Socket) => void): Promise<number> {
    const listener = new Listener(host, port, (socket) => this.arrive(socket, take));
    await listener.open();
    this.listeners.push(listener);
    return listener.port;
  }

  /** Ends all connections, like a power failure. */
  dropAll(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.isClosed = true;
    await Promise.all(this.listeners.map((listener) => listener.close()));
  }

  private follow(): void {
    if (this.isClosed) return;
    const isDown = this.options.core.faults.has('down');
    for (const listener of this.listeners) listener.setOpen(!isDown);
  }

  private arrive(socket: Socket, take: (socket: Socket) => void): void {
    const { core, maxSessions, busyInside } = this.options;
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
