/** A port that can be closed, so that clients are rejected, and opened again. */
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { onFreePort } from './free-port.ts';

export class Listener {
  port: number;
  readonly host: string;
  private readonly take: (socket: Socket) => void;
  private readonly sockets = new Set<Socket>();
  private server: Server | undefined;
  private closed: Promise<void> | undefined;
  private isWanted = true;

  /** Port 0: any. */
  constructor(host: string, port: number, take: (socket: Socket) => void) {
    this.host = host;
    this.port = port;
    this.take = take;
  }

  /** @throws Error The port is in use. */
  async open(): Promise<void> {
    if (this.server) return;
    if (this.port !== 0) await this.listen(this.port);
    else this.port = await onFreePort((port) => this.listen(port));
  }

  /** Ends its connections, too. Clients are rejected at once. The promise resolves when all connections have ended. */
  async close(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    if (server) this.closed = new Promise((resolve) => server.close(() => resolve()));
    for (const socket of this.sockets) socket.destroy();
    await this.closed;
  }

  /** Closes its port while a device has no power, and opens it again, both at once. */
  setOpen(isOpen: boolean): void {
    this.isWanted = isOpen;
    if (!isOpen) void this.close();
    else
      this.open().then(
        () => (this.isWanted ? undefined : this.close()),
        () => undefined,
      );
  }

  /** Resets all connections, and returns their number. */
  cut(): number {
    const { size } = this.sockets;
    for (const socket of this.sockets) socket.resetAndDestroy();
    return size;
  }

  private async listen(port: number): Promise<void> {
    const server = createServer((socket) => {
      this.sockets.add(socket);
      socket.setNoDelay();
      socket.on('error', () => {});
      socket.on('close', () => this.sockets.delete(socket));
      if (this.server === server) this.take(socket);
      else socket.destroy();
    });
    server.listen(port, this.host);
    await once(server, 'listening');
    this.server = server;
  }
}
