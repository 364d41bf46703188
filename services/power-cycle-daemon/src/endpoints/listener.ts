/** One open endpoint: admits the networks of rack.yaml, one request for each connection, held as long as it takes. */
import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http';
import type { Socket } from 'node:net';
import {
  browserGetProblem,
  cameThroughProxy,
  clientAddress,
  type HostCheck,
  inNetworks,
  type Logger,
  normaliseAddress,
  onStrictRequest,
} from '@skolo/common';
import { type Answers, type Endpoint, sendText } from './endpoint.ts';

export interface EndpointSettings {
  port: number;
  host?: string | undefined;
  allow: string[];
}

export interface ListenerDeps {
  name: Endpoint['name'];
  answers: Answers;
  /** Whether a request names this daemon: a page of another site may have resolved its own name to it. */
  hostCheck: HostCheck;
  log: Logger;
  /** Of Node's server, for requests that do not arrive; answers have none. */
  timeouts?: ServerOptions;
}

const usualTimeouts: ServerOptions = { headersTimeout: 15_000, requestTimeout: 60_000 };
/** So long are those that get a last answer given to read it. */
const farewellMs = 1000;

export class Listener {
  settings: EndpointSettings;
  private readonly deps: ListenerDeps;
  private readonly server: Server;
  /** Connections on which an answer is outstanding. */
  private readonly held = new Set<Socket>();
  private ended: Promise<void> | undefined;

  constructor(settings: EndpointSettings, deps: ListenerDeps) {
    this.settings = settings;
    this.deps = deps;
    // A client may be gone, or behind a NAT that forgets what is silent.
    const alive = { keepAlive: true, keepAliveInitialDelay: 30_000 };
    this.server = createServer({ ...usualTimeouts, ...deps.timeouts, ...alive });
    onStrictRequest(
      this.server,
      (request, response) => this.onRequest(request, response),
      ({ status, detail }, response) => sendText(response, status, detail),
    );
    this.server.on('clientError', (error, socket: Socket) => this.onNoHttp(error, socket));
  }

  get port(): number | undefined {
    const address = this.server.address();
    return typeof address === 'object' ? address?.port : undefined;
  }

  /** @throws Error The port cannot be had. */
  async open(): Promise<void> {
    const { server } = this;
    const { port, host } = this.settings;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ port, ...(host !== undefined && { host }) }, () => {
        server.off('error', reject);
        resolve();
      });
    });
    // Too many open files, mostly: it goes on accepting when there are fewer.
    server.on('error', (err) =>
      this.deps.log.error({ err, endpoint: this.deps.name }, 'endpoint failed'),
    );
  }

  /** Admits no more. Fulfilled once all that waited have been answered. */
  retire(): Promise<void> {
    this.ended ??= new Promise((resolve) => this.server.close(() => resolve()));
    return this.ended;
  }

  /** The same, within a moment; what is not answered then is cut off. */
  async close(): Promise<void> {
    const cutOff = setTimeout(() => {
      for (const socket of this.held) socket.destroy();
      this.server.closeAllConnections();
    }, farewellMs);
    await this.retire();
    clearTimeout(cutOff);
  }

  private onRequest(request: IncomingMessage, response: ServerResponse): void {
    const { name, answers, hostCheck, log } = this.deps;
    const { socket, url = '/' } = request;
    // A second request on a connection that ends with the answer to the first one.
    if (this.held.has(socket)) return;
    this.hold(socket);
    const from = clientAddress(request);
    const refusal =
      this.refusal(from) ??
      (cameThroughProxy(request) ? viaProxy : undefined) ??
      browserGetProblem(request) ??
      hostCheck(request);
    if (refusal !== undefined) {
      log.warn({ endpoint: name, from, why: refusal }, 'not admitted');
      sendText(response, 403, refusal);
    } else if (!URL.canParse(url, base)) {
      sendText(response, 404, 'Not found');
    } else {
      answers
        .http(request, response, { url: new URL(url, base), from, gone: goneSignal(socket) })
        .catch((error: unknown) => this.failed(error, request, response));
    }
  }

  private failed(err: unknown, { destroyed, complete }: IncomingMessage, response: ServerResponse) {
    // A client that hung up before the end of its request is no failure of ours.
    if (destroyed && !complete) return;
    this.deps.log.error({ err, endpoint: this.deps.name }, 'endpoint failed');
    if (response.headersSent) response.destroy();
    else sendText(response, 500, 'Failed; the log of the daemon says why');
  }

  /** Node passes on what it cannot read as HTTP. */
  private onNoHttp(error: Error, socket: Socket): void {
    // What was understood is being answered; time-outs are for silent clients.
    if (this.held.has(socket)) return;
    const packet = 'rawPacket' in error && Buffer.isBuffer(error.rawPacket) ? error.rawPacket : '';
    const from = normaliseAddress(socket.remoteAddress ?? '') ?? 'unknown';
    const refusal = this.refusal(from);
    const answer =
      refusal === undefined
        ? this.deps.answers.line?.(packet.toString('utf8'), { from, gone: goneSignal(socket) })
        : Promise.resolve(`nack ${refusal}\n`);
    this.hold(socket);
    if (answer === undefined) socket.end('HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n');
    else void this.endWith(answer, socket);
  }

  private async endWith(answer: Promise<string>, socket: Socket): Promise<void> {
    try {
      socket.end(await answer);
    } catch (err) {
      this.deps.log.error({ err, endpoint: this.deps.name }, 'endpoint failed');
      socket.end('nack\n');
    }
  }

  private hold(socket: Socket): void {
    this.held.add(socket);
    socket.once('close', () => this.held.delete(socket));
  }

  /** Read from the settings each time: the list may change while it is open. */
  private refusal(from: string): string | undefined {
    if (inNetworks(this.settings.allow)(from)) return undefined;
    return `${from} is not in \`allow\` of doors.${this.deps.name} in rack.yaml`;
  }
}

function goneSignal(socket: Socket): AbortSignal {
  const gone = new AbortController();
  socket.once('close', () => gone.abort(new Error('the client hung up')));
  return gone.signal;
}

const base = 'http://endpoint';
const viaProxy = 'come without a proxy: through one, everybody has its address';
