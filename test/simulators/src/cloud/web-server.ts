/** A web server on loopback that can go down and come back, and send nonsense. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

type Serve = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

export class WebServer {
  private readonly serve: Serve;
  private readonly host: string;
  private server: Server | undefined;
  /** As wanted, until it is open. */
  port: number;

  /** @param port default: any free one */
  constructor(serve: Serve, port = 0, host = '127.0.0.1') {
    this.serve = serve;
    this.host = host;
    this.port = port;
  }

  /** `http://127.0.0.1:PORT` */
  get url(): string {
    return `http://${this.host}:${this.port}`;
  }

  /** On its previous port. */
  async open(): Promise<void> {
    if (this.server) return;
    const server = createServer((request, response) => {
      this.serve(request, response).catch((error) => response.destroy(error));
    });
    this.server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.port, this.host, resolve);
    });
    this.port = (server.address() as AddressInfo).port;
  }

  /** Connections are refused, and open ones end. */
  async close(): Promise<void> {
    const { server } = this;
    if (!server) return;
    this.server = undefined;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeAllConnections();
    await closed;
  }
}

/** A complete answer. */
export function send(
  response: ServerResponse,
  status: number,
  type: string,
  body: string | Buffer,
): void {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) });
  response.end(body);
}

/** Bytes that are neither text nor HTTP. */
export const garbage = Buffer.from(Array.from({ length: 256 }, (_, index) => 255 - index));

/** JSON, or undefined if it is not. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** From an Authorization header. */
export function bearerOf({ headers }: IncomingMessage): string | undefined {
  return /^Bearer (?<token>.+)$/i.exec(headers.authorization ?? '')?.groups?.token;
}
