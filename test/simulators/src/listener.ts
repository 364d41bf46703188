/**
 * A port that can be closed, so that clients are rejected, and opened again.
 *
 * It is below the range from which the kernel assigns ports (32768 to 60999 on Linux), so that no other program gets it
 * meanwhile.
 */
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';

const tries = 50;

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
    const isAny = this.port === 0;
    for (let left = isAny ? tries : 1; ; left -= 1) {
      const port = isAny ? randomInt(12_000, 32_000) : this.port;
      try {
        this.server = await this.listen(port);
        this.port = port;
        return;
      } catch (error) {
        if (left === 1) throw error;
      }
    }
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

  private async listen(port: number): Promise<Server> {
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
    return server;
  }
}
