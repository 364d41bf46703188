/** Requests to other servers, by node:http: the global fetch would take 9 MB of memory. */
import { type ClientRequest, type IncomingMessage, request as plainRequest } from 'node:http';
import { request as tlsRequest } from 'node:https';

export interface RequestOptions {
  method?: 'GET' | 'POST' | 'PUT';
  headers?: Readonly<Record<string, string>>;
  body?: string;
  /** From connecting to the end of the answer, in milliseconds. */
  timeoutMs: number;
  /** The address that it is sent from; where absent, the system chooses. */
  localAddress?: string | undefined;
  signal?: AbortSignal | undefined;
}

export interface Answer {
  status: number;
  headers: IncomingMessage['headers'];
  text: string;
}

/** What a request without an answer throws; `message` says what and where, and never shows headers. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable';
}

/** An answer whose body is still to be read: `message` has to be read to its end, or destroyed. */
export interface OpenAnswer {
  status: number;
  headers: IncomingMessage['headers'];
  message: IncomingMessage;
}

const usualMostBytes = 1024 * 1024;

/**
 * Asks, and reads the answer as text. Redirects are answers, and not followed.
 *
 * @throws Unreachable No answer in time, or more than `mostBytes`.
 * @throws The reason of the signal.
 */
export async function request(
  url: string | URL,
  { mostBytes = usualMostBytes, ...options }: RequestOptions & { mostBytes?: number },
): Promise<Answer> {
  return withAnswer(url, options, async ({ status, headers, message }) => {
    const pieces: Buffer[] = [];
    let length = 0;
    for await (const piece of message) {
      const bytes = Buffer.from(piece);
      length += bytes.length;
      if (length > mostBytes) throw new Unreachable(`its answer is larger than ${mostBytes} bytes`);
      pieces.push(bytes);
    }
    return { status, headers, text: Buffer.concat(pieces).toString() };
  });
}

/**
 * Asks, and gives the answer to `read`, which has until the time is up.
 *
 * @throws Unreachable
 * @throws What `read` throws, and the reason of the signal.
 */
export async function withAnswer<T>(
  url: string | URL,
  { method = 'GET', headers, body, timeoutMs, localAddress, signal }: RequestOptions,
  read: (answer: OpenAnswer) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  const { protocol, origin } = new URL(url);
  const send = protocol === 'https:' ? tlsRequest : plainRequest;
  const asked = send(url, {
    method,
    ...(localAddress !== undefined && { localAddress }),
    headers: {
      ...headers,
      ...(body !== undefined && { 'content-length': Buffer.byteLength(body) }),
    },
    // One request after a long pause: a connection that was kept has died by then.
    agent: false,
  });
  const late = new Unreachable(`${origin}: no answer within ${timeoutMs / 1000} s`);
  const timer = setTimeout(() => asked.destroy(late), timeoutMs);
  const abort = () => asked.destroy(late);
  signal?.addEventListener('abort', abort, { once: true });
  try {
    const message = await answerTo(asked, body);
    const failed = new Promise<never>((_, reject) => {
      message.once('error', reject);
      asked.once('error', reject);
    });
    failed.catch(() => undefined);
    const answer = { status: message.statusCode ?? 0, headers: message.headers, message };
    return await Promise.race([read(answer), failed]);
  } catch (error) {
    signal?.throwIfAborted();
    throw isOfSystem(error)
      ? new Unreachable(`${origin}: ${textOf(error)}`, { cause: error })
      : error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
    asked.destroy();
  }
}

function answerTo(asked: ClientRequest, body: string | undefined): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    asked.once('response', resolve);
    asked.on('error', reject);
    asked.end(body);
  });
}

function isOfSystem(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error;
}

const texts: Record<string, string> = {
  ECONNREFUSED: 'nobody listens there',
  ECONNRESET: 'the connection was broken off',
  ENOTFOUND: 'no such name',
  EAI_AGAIN: 'its name cannot be resolved now',
  EHOSTUNREACH: 'no way to it',
  ENETUNREACH: 'no network',
  ETIMEDOUT: 'no answer',
  EADDRNOTAVAIL: 'the address to send from is not one of this computer',
};

function textOf(error: NodeJS.ErrnoException): string {
  return texts[error.code ?? ''] ?? error.message;
}
