/** One open endpoint: admits the networks of rack.yaml, one request per connection, which stays open as long as it takes. */
import type { IncomingMessage, Server, ServerOptions, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { errorCode } from '@skolo/base';
import {
  browserGetProblem,
  type ConnectionLimits,
  cameThroughProxy,
  clientAddress,
  type HostCheck,
  HttpProblem,
  inNetworks,
  type Logger,
  listen,
  newServer,
  normaliseAddress,
} from '@skolo/common';
import type { PowerCycleDaemonSettings } from '@skolo/rack';
import type { Answers, TextAnswer } from './endpoint.ts';

export type EndpointSettings = NonNullable<PowerCycleDaemonSettings['endpoints']['pdudaemon']>;

const setting = 'services.power-cycle-daemon.endpoints.pdudaemon in rack.yaml';

interface ListenerDeps {
  answers: Answers;
  /** Whether a request names this daemon: another site's page may have resolved its own name to it. */
  hostCheck: HostCheck;
  connections: ConnectionLimits;
  log: Logger;
  /** Node's server timeouts, for requests that do not arrive; answers have none. */
  timeouts: ServerOptions | undefined;
}

const tooLarge = '431 Request Header Fields Too Large';
/** How long clients have to read a last answer. */
const farewellMs = 1000;

export class Listener {
  settings: EndpointSettings;
  private readonly deps: ListenerDeps;
  private readonly server: Server;
  /** Connections with an outstanding answer. */
  private readonly held = new Set<Socket>();
  private ended: Promise<void> | undefined;

  constructor(settings: EndpointSettings, deps: ListenerDeps) {
    this.settings = settings;
    this.deps = deps;
    // A client may be gone, or behind a NAT that forgets silent connections.
    const alive = { keepAlive: true, keepAliveInitialDelay: 30_000 };
    const { connections, timeouts } = deps;
    this.server = newServer({
      handler: (request, response) => this.onRequest(request, response),
      connections,
      serverOptions: { ...timeouts, ...alive },
      answerMalformed: ({ status, detail }) => textAnswer(status, detail),
      onNotHttp: (error, socket) => this.onNoHttp(error, socket),
    });
  }

  /** Returns its port. @throws ListenError The port is not available. */
  async open(): Promise<number> {
    const { server } = this;
    const flags = { flag: `\`port\` of ${setting}`, hostFlag: `\`host\` of ${setting}` };
    const port = await listen(server, { ...this.settings, ...flags });
    // Usually too many open files: it accepts again once there are fewer.
    server.on('error', (err) => this.deps.log.error({ err }, 'pdudaemon endpoint failed'));
    return port;
  }

  /** Admits no more requests. Fulfilled once all waiting ones have been answered. */
  retire(): Promise<void> {
    this.ended ??= new Promise((resolve) => this.server.close(() => resolve()));
    return this.ended;
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
    this.answer(request).then(
      ({ status, text }) => sendText(response, status, text),
      (error: unknown) => this.fail(error, request, response),
    );
  }

  private async answer(request: IncomingMessage): Promise<TextAnswer> {
    const { answers, hostCheck, log } = this.deps;
    const { socket, url = '/' } = request;
    const from = clientAddress(request);
    const rejection =
      this.rejection(from) ??
      (cameThroughProxy(request) ? viaProxy : undefined) ??
      browserGetProblem(request) ??
      hostCheck(request);
    if (rejection !== undefined) {
      log.warn({ from, why: rejection }, 'pdudaemon endpoint: not admitted');
      throw new HttpProblem(403, rejection);
    }
    if (!URL.canParse(url, base)) throw new HttpProblem(404, 'Not found');
    return answers.http(request, { url: new URL(url, base), from, gone: goneSignal(socket) });
  }

  private fail(err: unknown, { destroyed, complete }: IncomingMessage, response: ServerResponse) {
    // A client that hung up before the end of its request is not our failure.
    if (destroyed && !complete) return;
    if (err instanceof HttpProblem) return sendText(response, err.status, err.detail, err.headers);
    this.deps.log.error({ err }, 'pdudaemon endpoint failed');
    sendText(response, 500, "Failed; see the daemon's log for the reason");
  }

  /** Node passes on what it cannot parse as HTTP. */
  private onNoHttp(error: Error, socket: Socket): void {
    // The parsed request is being answered; time-outs are for silent clients.
    if (this.held.has(socket)) return;
    const packet = 'rawPacket' in error && Buffer.isBuffer(error.rawPacket) ? error.rawPacket : '';
    const from = normaliseAddress(socket.remoteAddress ?? '') ?? 'unknown';
    const rejection = this.rejection(from);
    const answer =
      rejection === undefined
        ? this.deps.answers.line(packet.toString('utf8'), { from, gone: goneSignal(socket) })
        : Promise.resolve(`nack ${rejection}\n`);
    this.hold(socket);
    if (rejection === undefined && answer !== undefined) this.deps.connections.keep(socket);
    const status = errorCode(error) === 'HPE_HEADER_OVERFLOW' ? tooLarge : '400 Bad Request';
    if (answer !== undefined) void this.endWith(answer, socket);
    else socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\n\r\n`);
  }

  private async endWith(answer: Promise<string>, socket: Socket): Promise<void> {
    try {
      socket.end(await answer);
    } catch (err) {
      this.deps.log.error({ err }, 'pdudaemon endpoint failed');
      socket.end('nack\n');
    }
  }

  private hold(socket: Socket): void {
    this.held.add(socket);
    socket.once('close', () => this.held.delete(socket));
  }

  /** Read from the settings each time: the list may change while the endpoint is open. */
  private rejection(from: string): string | undefined {
    if (inNetworks(this.settings.allow)(from)) return undefined;
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
const base = 'http://endpoint';
const viaProxy = 'connect without a proxy, because all clients behind a proxy share its address';

/**
 * The text of a failure is also the reason phrase: pdudaemon's clients (labgrid, pduclient) print that instead of the body. It may only
 * contain these characters.
 */
function textAnswer(status: number, text: string) {
  const phrase = text.replaceAll(/[^\x20-\x7e]+/g, '?').slice(0, mostPhrase);
  const headers = { 'content-type': 'text/plain; charset=utf-8', connection: 'close' };
  return { headers, body: `${text}\n`, ...(status >= 400 && { phrase }) };
}

function sendText(
  response: ServerResponse,
  status: number,
  text: string,
  more: Record<string, string> = {},
): void {
  const { headers, body, phrase } = textAnswer(status, text);
  response.writeHead(status, phrase, { ...headers, ...more }).end(body);
}
