/**
 * A port that is closed while the machine is down, so that who connects is refused, and that is the same one after each
 * boot.
 *
 * It is taken from below the range from which the kernel hands out ports (32768 to 60999 on Linux), so that nobody else
 * is given it meanwhile.
 */
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';

const tries = 50;

export class Door {
  port: number;
  private readonly host: string;
  private readonly take: (socket: Socket) => void;
  private readonly sockets = new Set<Socket>();
  private server: Server | undefined;
  private closed: Promise<void> | undefined;

  /** Port 0: any. */
  constructor(host: string, port: number, take: (socket: Socket) => void) {
    this.host = host;
    this.port = port;
    this.take = take;
  }

  /** @throws Error The port that was asked for is somebody else's. */
  async open(): Promise<void> {
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

  /** Ends its connections, too. From this moment on nobody gets in; the answer comes when all are gone. */
  async close(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    if (server) this.closed = new Promise((resolve) => server.close(() => resolve()));
    for (const socket of this.sockets) socket.destroy();
    await this.closed;
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
