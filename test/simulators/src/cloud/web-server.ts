/** A web server on loopback that can go down and come back. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Listener } from '../listener.ts';
import { type Relay, startRelay } from '../relay.ts';

type Serve = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

export class WebServer {
  private readonly host: string;
  private readonly listener: Listener;
  private relay: Relay | undefined;

  /** @param port default: any free one */
  constructor(serve: Serve, port = 0, host = '127.0.0.1') {
    const server = createServer((request, response) => {
      serve(request, response).catch((error) => response.destroy(error));
    });
    this.host = host;
    this.listener = new Listener(host, port, (socket) => server.emit('connection', socket));
  }

  get port(): number {
    return (this.relay ?? this.listener).port;
  }

  /** `http://127.0.0.1:PORT` */
  get url(): string {
    return `http://${this.host}:${this.port}`;
  }

  /** Puts a relay in front of it, which has its address from now on. */
  async behindRelay(): Promise<Relay> {
    this.relay = await startRelay(this.listener);
    return this.relay;
  }

  /** On its previous port. */
  async open(): Promise<void> {
    await this.listener.open();
    await this.relay?.open();
  }

  /** Connections are refused, and open ones end. */
  async close(): Promise<void> {
    await this.relay?.close();
    await this.listener.close();
  }
}

export interface Answer {
  status: number;
  /** An object is sent as JSON. Default: empty. */
  body?: object | string | Buffer;
  headers?: Readonly<Record<string, string>>;
}

/** A complete answer. */
export function send(response: ServerResponse, { status, body = '', headers }: Answer): void {
  const isBytes = Buffer.isBuffer(body);
  const isText = typeof body === 'string';
  const content = isBytes || isText ? body : JSON.stringify(body);
  const type = isText ? (body.startsWith('<') ? 'text/html' : 'text/plain') : 'application/json';
  response.writeHead(status, {
    'content-type': isBytes ? 'application/octet-stream' : `${type}; charset=UTF-8`,
    ...(status !== 204 && { 'content-length': Buffer.byteLength(content) }),
    ...headers,
  });
  response.end(content);
}

/** From an Authorization header. */
export function bearerOf({ headers }: IncomingMessage): string | undefined {
  return /^Bearer (?<token>.+)$/i.exec(headers.authorization ?? '')?.groups?.token;
}
