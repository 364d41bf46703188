/**
 * HTTP requests to devices, shared by all HTTP drivers: one connection for each, one deadline, no redirects, a limited response, and errors
 * in the classes of packages/equipment.
 *
 * Secrets: most of this equipment only supports plain http, so its password is only as safe as the rack's own network. If a device offers
 * digest authentication, the password itself is never sent, and once digest has succeeded, Basic is never used. Over https, nothing is sent
 * before the device has presented its certificate, see tls.ts. Messages never contain requests, because some devices require the password
 * in the URL.
 */
import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { withDeadline } from '@skolo/base';
import { request as open } from '@skolo/base/http';
import { type Credentials, secretsOf } from '@skolo/secrets';
import { Received } from '../budget/received.ts';
import { type Access, addressOf, type Endpoint } from '../endpoint.ts';
import {
  DeviceBusy,
  type DeviceError,
  DeviceRejected,
  DeviceTimeout,
  SignInRejected,
} from '../errors.ts';
import { withAnyOf } from '../session/any-of.ts';
import type { Dial } from '../session.ts';
import { withoutSecrets } from '../stream/redact.ts';
import type { Recorded } from '../stream/transcript.ts';
import { answerTo, basicHeader } from './sign-in.ts';
import { connectionError, connectTls } from './tls.ts';

interface HttpAccess extends Access, Recorded {
  /** Connects in another way than through this computer's own network. */
  dial?: Dial;
}

interface HttpRequest {
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Escaped path and query; secrets in them remain protected. */
  path: string;
  headers?: Readonly<Record<string, string>>;
  body?: string;
  /** From the first byte to the last, including sign-in; default 5 s. */
  timeoutMs?: number;
  /** The device responds to this without a login. */
  anonymous?: boolean;
}

export interface HttpAnswer {
  status: number;
  body: string;
}

export interface HttpOptions {
  /**
   * How the device accepts the password: with the first request (`basic`); after a challenge, only by digest (`digest`), or also by Basic
   * until digest has succeeded (`challenge`); or in another way that the driver implements.
   */
  signIn: 'basic' | 'digest' | 'challenge' | 'by-driver';
  https?: boolean;
  /** The reason in an error's body, for the message. */
  reason?: (body: string) => string | undefined;
}

/**
 * A response with a status of 200 to 299.
 *
 * @throws DeviceError, or the signal's reason
 */
type SendHttp = (request: HttpRequest, signal: AbortSignal) => Promise<HttpAnswer>;

const usualTimeoutMs = 5000;

interface Exchange {
  endpoint: Endpoint;
  https: boolean;
  address: string;
  port: number;
  deps: Pick<HttpAccess, 'hostKeys' | 'dial'>;
  credentials: Credentials;
  signal: AbortSignal;
}

interface RawAnswer extends HttpAnswer {
  challenge: string;
  /** Pins the presented certificate. */
  letIn(): Promise<void>;
}

export function httpTo(
  endpoint: Endpoint,
  deps: HttpAccess,
  { signIn, https = false, reason }: HttpOptions,
): SendHttp {
  return async (request, signal) => {
    const { name, ports } = endpoint;
    const address = addressOf(endpoint);
    const port = ports.http ?? (https ? 443 : 80);
    const login: Credentials = request.anonymous ? { legacySsh: false } : await deps.credentials();
    deps.onTranscript?.('us', `${requestLine(request, login)}\n`);
    if (deps.dry) return { status: 200, body: '' };
    const { timeoutMs = usualTimeoutMs } = request;
    const silence = `no response from ${address}:${port} within ${timeoutMs / 1000} s`;
    const late = () => new DeviceTimeout(name, silence);
    return await withDeadline({ ms: timeoutMs, late, signal }, async (limit) => {
      const way = request.anonymous ? 'by-driver' : signIn;
      // A driver that implements sign-in also tries the other values.
      const tried = way === 'by-driver' ? { ...login, others: [] } : login;
      return await withAnyOf(tried, async (credentials) => {
        const exchange = { endpoint, https, address, port, deps, credentials, signal: limit };
        const answer = await signedIn(exchange, request, way);
        judge(exchange, answer, reason?.(answer.body));
        await answer.letIn();
        return { status: answer.status, body: answer.body };
      });
    });
  };
}

/** With its body. Secrets in a path are escaped. */
function requestLine({ method = 'GET', path, body = '' }: HttpRequest, login: Credentials) {
  const secrets = secretsOf(login).flatMap((secret) => {
    const asForm = new URLSearchParams([['', secret]]).toString().slice(1);
    return [secret, encodeURIComponent(secret), asForm, asForm.replaceAll('+', '%20')];
  });
  return secrets.reduce(
    (line, secret) => (secret === '' ? line : line.replaceAll(secret, '<secret>')),
    `${method} ${path} ${body}`.trimEnd(),
  );
}

async function signedIn(
  exchange: Exchange,
  request: HttpRequest,
  way: HttpOptions['signIn'],
): Promise<RawAnswer> {
  const { endpoint, credentials, deps } = exchange;
  if (way === 'by-driver') return await exchangeOnce(exchange, request, undefined);
  if (way === 'basic') return await exchangeOnce(exchange, request, basicHeader(credentials));
  const bearer = credentials.token && `Bearer ${credentials.token.reveal()}`;
  const first = await exchangeOnce(exchange, request, bearer);
  if (first.status !== 401 || bearer || credentials.password === undefined) return first;
  const { method = 'GET', path } = request;
  const answer = answerTo(first.challenge, { method, path }, credentials);
  if (answer === undefined) {
    throw new DeviceRejected(endpoint.name, 'requires an unknown authentication scheme');
  }
  const isDigest = answer.startsWith('Digest ');
  if (!isDigest && (way === 'digest' || deps.hostKeys.usesDigest(endpoint.name))) {
    const swapped = `if the device was replaced, run: skolo equipment forget ${endpoint.name}`;
    const hint = way === 'digest' ? 'check the device' : swapped;
    const what = 'requests the password in clear text (Basic) instead of as a digest';
    throw new DeviceRejected(
      endpoint.name,
      `${what}: another host may be intercepting the connection; ${hint}`,
    );
  }
  const second = await exchangeOnce(exchange, request, answer);
  // After it has succeeded, as for host keys.
  if (isDigest && way === 'challenge' && second.status < 400)
    await deps.hostKeys.pinDigest(endpoint.name);
  return second;
}

async function exchangeOnce(
  exchange: Exchange,
  request: HttpRequest,
  authorization: string | undefined,
): Promise<RawAnswer> {
  const { endpoint, https, address, port, deps, signal } = exchange;
  const { name, hostKey } = endpoint;
  const target = { name, address, port, hostKey };
  const plain = await deps.dial?.(address, port, signal);
  const tls = https ? await connectTls(target, deps.hostKeys, signal, plain) : undefined;
  try {
    const response = await send(exchange, request, authorization, tls?.socket ?? plain);
    const body = await readBody(name, response);
    const challenge = response.headers['www-authenticate'] ?? '';
    const { statusCode: status = 0 } = response;
    return { status, body, challenge, letIn: async () => await tls?.pin() };
  } catch (error) {
    signal.throwIfAborted();
    throw connectionError(target, error);
  } finally {
    tls?.socket.destroy();
    plain?.destroy();
  }
}

async function send(
  { address, port, signal }: Exchange,
  { method = 'GET', path, headers, body }: HttpRequest,
  authorization: string | undefined,
  socket: Socket | undefined,
): Promise<IncomingMessage> {
  return await new Promise((resolve, reject) => {
    const request: ClientRequest = open(
      {
        ...(socket ? { createConnection: () => socket } : { agent: false }),
        host: address,
        port,
        method,
        path,
        headers: {
          ...headers,
          connection: 'close',
          ...(authorization !== undefined && { authorization }),
          ...(body !== undefined && { 'content-length': Buffer.byteLength(body) }),
        },
        signal,
      },
      resolve,
    );
    request.on('error', reject);
    request.end(body);
  });
}

async function readBody(device: string, response: IncomingMessage): Promise<string> {
  const fail = (why: DeviceError) => void response.destroy(why);
  const body = new Received({ device, what: 'the response', purpose: 'document', fail });
  try {
    for await (const piece of response) body.add(piece);
    if (response.errored !== null) throw response.errored;
    return body.take().toString();
  } finally {
    body.release();
  }
}

/** Throws the error for a status that is not a success. */
function judge(
  { endpoint: { name }, credentials }: Exchange,
  { status }: HttpAnswer,
  reason: string | undefined,
): void {
  if (status >= 200 && status < 300) return;
  const why = reason === undefined ? '' : `: ${shown(reason, credentials)}`;
  if (status === 401 || status === 403) {
    const hasLogin = credentials.password !== undefined || credentials.token !== undefined;
    const what = hasLogin
      ? `rejects the ${credentials.token === undefined ? 'password' : 'token'} in its login`
      : 'requires a password';
    throw new SignInRejected(name, `${what} (status ${status})${why}`);
  }
  if (status === 429 || status === 503) {
    throw new DeviceBusy(name, `busy (status ${status})${why}`);
  }
  if (status >= 300 && status < 400) {
    throw new DeviceRejected(
      name,
      `returned a redirect (status ${status}); the device may require https`,
    );
  }
  throw new DeviceRejected(name, `returned status ${status}${why}`);
}

/** A short text from the device, without secrets that it may repeat. */
function shown(text: string, credentials: Credentials): string {
  const signedIn = text.replaceAll(/\b(?:Basic|Bearer|Digest) [^\s"',;]+/gi, '<secret>');
  return withoutSecrets(signedIn, secretsOf(credentials)).replaceAll(/\s+/g, ' ').slice(0, 200);
}
