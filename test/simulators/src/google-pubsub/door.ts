/** The port: connections can be cut one by one, and it can be closed and opened again. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

export class Door {
  private readonly host: string;
  private readonly welcome: (socket: Socket) => void;
  private readonly sockets = new Map<string, Socket>();
  private server: Server | undefined;
  port: number;

  constructor(options: { host: string; port: number; welcome: (socket: Socket) => void }) {
    this.host = options.host;
    this.port = options.port;
    this.welcome = options.welcome;
  }

  /** On the port that it had before. */
  async open(): Promise<void> {
    if (this.server) return;
    const server = createServer({ noDelay: true }, (socket) => {
      const peer = `${socket.remoteAddress}:${socket.remotePort}`;
      this.sockets.set(peer, socket);
      socket.on('close', () => this.sockets.delete(peer));
      // Whoever cuts a connection knows about it.
      socket.on('error', () => {});
      this.welcome(socket);
    });
    this.server = server;
    server.listen(this.port, this.host);
    try {
      await once(server, 'listening');
    } catch (error) {
      this.server = undefined;
      throw error;
    }
    this.port = (server.address() as AddressInfo).port;
  }

  /** Connections are refused, and those that are open end. */
  async close(): Promise<void> {
    const { server } = this;
    if (!server) return;
    this.server = undefined;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    this.cut();
    await closed;
  }

  /** @param peer `ADDRESS:PORT`; everybody when absent */
  cut(peer?: string): void {
    for (const [name, socket] of this.sockets) {
      if (peer === undefined || peer === name) socket.resetAndDestroy();
    }
  }
}
