/** One open pdudaemon endpoint: admits the networks of rack.yaml, one request per connection, which stays open as long as it takes. */
import type {
  IncomingMessage,
  RequestListener,
  Server,
  ServerOptions,
  ServerResponse,
} from 'node:http';
import type { Socket } from 'node:net';
import {
  type ConnectionLimits,
  HttpProblem,
  inNetworks,
  listen,
  newServer,
  normaliseAddress,
  rejectWith,
} from '@skolo/common';
import { type AppDeps, endpointApp, textHeaders } from './app.ts';
import { answerLine } from './protocols.ts';

const setting = 'services.power-cycle-daemon.endpoints.pdudaemon in rack.yaml';
const flags = { flag: `\`port\` of ${setting}`, hostFlag: `\`host\` of ${setting}` };

export interface Place {
  port: number;
  host: string | undefined;
}

export interface ListenerDeps extends AppDeps {
  connections: ConnectionLimits;
  /** Node's server timeouts, for requests that do not arrive; answers have none. */
  timeouts?: ServerOptions | undefined;
}

/** How long clients have to read a last answer. */
const farewellMs = 1000;

export class Listener {
  private readonly deps: ListenerDeps;
  private readonly server: Server;
  private readonly app: RequestListener;
  /** Connections with an outstanding answer. */
  private readonly held = new Set<Socket>();

  constructor(deps: ListenerDeps) {
    this.deps = deps;
    // A client may be gone, or behind a NAT that forgets silent connections.
    const alive = { keepAlive: true, keepAliveInitialDelay: 30_000 };
    const { connections, timeouts } = deps;
    this.app = endpointApp(deps, {
      rejection: (from) => this.rejection(from),
      gone: ({ socket }) => goneSignal(socket),
      fail: (error, request, response) => this.fail(error, request, response),
    });
    this.server = newServer({
      handler: (request, response) => this.onRequest(request, response),
      connections,
      serverOptions: { ...timeouts, ...alive },
      answerMalformed: asText,
      onNotHttp: (error, socket) => this.onNotHttp(error, socket),
    });
  }

  /** Returns its port. @throws ListenError The port is not available. */
  async open(place: Place): Promise<number> {
    const { server } = this;
    const port = await listen(server, { ...place, ...flags });
    // Usually too many open files: it accepts again once there are fewer.
    server.on('error', (err) => this.deps.log.error({ err }, 'pdudaemon endpoint failed'));
    return port;
  }

  /** Admits no more requests. Fulfilled once all waiting ones have been answered. */
  retire(): Promise<void> {
    return new Promise((resolve) => this.server.close(() => resolve()));
  }

  /** The same, within a moment; connections that are still unanswered are cut off. */
  async close(): Promise<void> {
    const cutOff = setTimeout(() => {
      for (const socket of this.held) socket.destroy();
      this.server.closeAllConnections();
    }, farewellMs);
    await this.retire();
    clearTimeout(cutOff);
  }

  private onRequest(request: IncomingMessage, response: ServerResponse): void {
    // A second request on a connection that ends with the answer to the first one.
    if (this.held.has(request.socket)) return;
    this.hold(request.socket);
    this.app(request, response);
  }

  private fail(err: unknown, { destroyed, complete }: IncomingMessage, response: ServerResponse) {
    // A client that hung up before the end of its request is not our failure.
    if (destroyed && !complete) return;
    if (err instanceof HttpProblem) return reject(err, response);
    this.deps.log.error({ err }, 'pdudaemon endpoint failed');
    reject(new HttpProblem(500, "Failed; see the daemon's log for the reason"), response);
  }

  /** Whether it is not for Node to answer, which passes on what it cannot parse as HTTP. */
  private onNotHttp(error: Error, socket: Socket): boolean {
    // The parsed request is being answered; time-outs are for silent clients.
    if (this.held.has(socket)) return true;
    const { connections, log } = this.deps;
    const packet = 'rawPacket' in error && Buffer.isBuffer(error.rawPacket) ? error.rawPacket : '';
    const from = normaliseAddress(socket.remoteAddress ?? '') ?? 'unknown';
    const rejection = this.rejection(from);
    this.hold(socket);
    if (rejection !== undefined) {
      socket.end(`nack ${rejection}\n`);
      return true;
    }
    const client = { from, gone: goneSignal(socket) };
    const answer = answerLine(packet.toString('utf8'), client, this.deps);
    if (answer === undefined) return false;
    connections.exempt(socket);
    answer.then(
      (text) => socket.end(text),
      (err: unknown) => {
        log.error({ err }, 'pdudaemon endpoint failed');
        socket.end('nack\n');
      },
    );
    return true;
  }

  private hold(socket: Socket): void {
    this.held.add(socket);
    socket.once('close', () => this.held.delete(socket));
  }

  /** The list may change while the endpoint is open. */
  private rejection(from: string): string | undefined {
    const { allow = [] } =
      this.deps.rack().services['power-cycle-daemon'].endpoints.pdudaemon ?? {};
    if (inNetworks(allow)(from)) return undefined;
    return `${from} is not listed in endpoints.pdudaemon.allow in rack.yaml`;
  }
}

function goneSignal(socket: Socket): AbortSignal {
  const gone = new AbortController();
  socket.once('close', () => gone.abort(new Error('the client disconnected')));
  return gone.signal;
}

/** Some clients cut longer ones. */
const mostPhrase = 400;

/**
 * The text of a failure is also the reason phrase: pdudaemon's clients (labgrid, pduclient) print that instead of the body. It may only
 * contain these characters.
 */
function asText({ detail }: HttpProblem) {
  const phrase = detail.replaceAll(/[^\x20-\x7e]+/g, '?').slice(0, mostPhrase);
  return { headers: textHeaders, body: `${detail}\n`, phrase };
}

const reject = rejectWith(asText);
