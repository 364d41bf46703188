/** One HTTP request on its own connection, and its response, whatever its status. */
import type { ClientRequest, IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { Duplex, pipeline } from 'node:stream';
import { createUnzip } from 'node:zlib';
import { request as open } from '@skolo/base/http';
import type { Credentials, Secret } from '@skolo/base/secrets';
import { Received } from '../budget/received.ts';
import type { Access, Endpoint } from '../endpoint.ts';
import type { DeviceError } from '../errors.ts';
import type { Dial } from '../session.ts';
import type { Recorded } from '../stream/transcript.ts';
import { withLineEnds } from './line-ends.ts';
import { connectionError, connectTls } from './tls.ts';

export interface HttpAccess extends Access, Recorded {
  /** Connects in another way than through this computer's own network. */
  dial?: Dial;
}

export interface HttpRequest {
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Escaped path and query; secrets in them remain protected. */
  path: string;
  headers?: Readonly<Record<string, string>>;
  body?: string;
  /** Instead of a body. */
  json?: object;
  /** From the first byte to the last, including sign-in; default: the `timeoutSeconds` of `HttpOptions`. */
  timeoutMs?: number;
  /** The device responds to this without a login. */
  anonymous?: boolean;
  /** The token of a session (`X-Auth-Token`), for `by-driver`. */
  session?: Secret;
}

export interface HttpAnswer {
  status: number;
  body: string;
  /** Their names in lower case. */
  headers: IncomingHttpHeaders;
}

export interface Exchange {
  endpoint: Endpoint;
  https: boolean;
  address: string;
  port: number;
  deps: Pick<HttpAccess, 'hostKeys' | 'dial'>;
  credentials: Credentials;
  signal: AbortSignal;
}

export interface RawAnswer extends HttpAnswer {
  challenge: string;
  /** Pins the presented certificate. */
  letIn(): Promise<void>;
}

/** @throws DeviceError, or the signal's reason */
export async function exchangeOnce(
  exchange: Exchange,
  request: HttpRequest,
  authorization: string | undefined,
): Promise<RawAnswer> {
  const { endpoint, https, address, port, deps, signal } = exchange;
  const { name, hostKey } = endpoint;
  const target = { name, address, port, hostKey };
  const plain = await deps.dial?.(address, port, signal);
  const tls = https ? await connectTls(target, deps.hostKeys, signal, plain) : undefined;
  const socket = tls?.socket ?? plain ?? connect(port, address);
  try {
    const response = await send(exchange, request, authorization, socket);
    const { statusCode: status = 0, headers } = response;
    const { 'www-authenticate': challenge = '' } = headers;
    const body = await readBody(name, response).catch((error: unknown) => {
      // Its status says enough, even if its reason is cut (check_redfish issue 90).
      if (status < 300) throw error;
      return '';
    });
    return { status, body, headers, challenge, letIn: async () => await tls?.pin() };
  } catch (error) {
    signal.throwIfAborted();
    throw connectionError(target, error);
  } finally {
    socket.destroy();
    plain?.destroy();
  }
}

async function send(
  { address, port, signal }: Exchange,
  { method = 'GET', path, headers, body, session }: HttpRequest,
  authorization: string | undefined,
  socket: Socket,
): Promise<IncomingMessage> {
  return await new Promise((resolve, reject) => {
    // It may fail before the request reads from it.
    socket.on('error', reject);
    const both = Duplex.from({ readable: withLineEnds(socket), writable: socket });
    const request: ClientRequest = open(
      {
        createConnection: () => both,
        host: address,
        port,
        method,
        path,
        headers: asUsual({
          ...headers,
          connection: 'close',
          ...(authorization !== undefined && { authorization }),
          ...(session && { 'x-auth-token': session.reveal() }),
          ...(body !== undefined && { 'content-length': Buffer.byteLength(body) }),
        }),
        signal,
      },
      resolve,
    );
    request.on('error', reject);
    request.end(body);
  });
}

/** Names as browsers write them: small servers only recognize `Authorization` in exactly this case (netBooter NP-02B). */
function asUsual(headers: Record<string, string | number>): Record<string, string | number> {
  const written = Object.entries(headers).map(([name, value]) => {
    return [name.replaceAll(/\b[a-z]/g, (letter) => letter.toUpperCase()), value] as const;
  });
  return Object.fromEntries(written);
}

async function readBody(device: string, response: IncomingMessage): Promise<string> {
  // Some devices compress what nobody asked them to.
  const isPlain = !/gzip|deflate/i.test(response.headers['content-encoding'] ?? '');
  const stream = isPlain ? response : pipeline(response, createUnzip(), () => undefined);
  const fail = (why: DeviceError) => void stream.destroy(why);
  const body = new Received({ device, what: 'the response', purpose: 'document', fail });
  try {
    for await (const piece of stream) body.add(piece);
    if (stream.errored !== null) throw stream.errored;
    return body
      .transfer()
      .toString()
      .replace(/^\uFEFF/, '');
  } finally {
    body.release();
  }
}
