/** Sends HTTP requests, with a deadline and a limit of the response, with node:http, because the global fetch would take 14 MB of memory. */
import { once } from 'node:events';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { type RequestOptions as HttpsOptions, request as tlsRequest } from 'node:https';
import { bytesUpTo } from './bytes-up-to.ts';
import { errorCode } from './error-text.ts';
import { request as plainRequest } from './http.ts';
import { reasonOf } from './internet/network-error.ts';
import { throughProxy } from './internet/proxy.ts';
import { openWay } from './internet/way.ts';
import { NamedError } from './named-error.ts';
import { orAborted, withDeadline } from './time/deadline.ts';

export interface RequestOptions
  extends Pick<HttpsOptions, 'ca' | 'cert' | 'key' | 'rejectUnauthorized'> {
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  headers?: Readonly<Record<string, string>>;
  body?: string;
  /** From connecting to the end of the response, in milliseconds. */
  timeoutMs: number;
  /** The source address; default: chosen by the system. */
  localAddress?: string | undefined;
  signal?: AbortSignal | undefined;
  /** The server is on the internet: through the proxy of the environment, if there is one. */
  internet?: boolean;
}

export interface Answer {
  status: number;
  headers: IncomingMessage['headers'];
  text: string;
}

/** No response. `message` contains the reason and the server, but never headers. */
export class Unreachable extends NamedError {}

/** A response whose body has not been read: `message` must be read to its end or destroyed. */
export interface OpenAnswer {
  status: number;
  headers: IncomingMessage['headers'];
  message: IncomingMessage;
}

const usualMostBytes = 1024 * 1024;

/**
 * Sends a request, and reads the response as text. Redirects are returned, not followed.
 *
 * @throws Unreachable No response in time, or more than `mostBytes`.
 * @throws The reason of the signal.
 */
export async function request(
  url: string | URL,
  { mostBytes = usualMostBytes, ...options }: RequestOptions & { mostBytes?: number },
): Promise<Answer> {
  return withAnswer(url, options, async ({ status, headers, message }) => {
    const tooLarge = () => new Unreachable(`the response is larger than ${mostBytes} bytes`);
    const bytes = await bytesUpTo(mostBytes, message, tooLarge);
    return { status, headers, text: bytes.toString() };
  });
}

/**
 * Sends a request, and passes the response to `read`, which has until the deadline.
 *
 * @throws Unreachable
 * @throws What `read` throws, and the reason of the signal.
 */
export async function withAnswer<T>(
  url: string | URL,
  { headers, body, timeoutMs: ms, signal, internet = false, ...options }: RequestOptions,
  read: (answer: OpenAnswer) => Promise<T>,
): Promise<T> {
  const { protocol, origin } = new URL(url);
  const server = (error?: unknown) => origin + (internet ? throughProxy(url, error) : '');
  const send = protocol === 'https:' ? tlsRequest : plainRequest;
  const late = () => new Unreachable(`${server()}: no response within ${ms / 1000} s`);
  const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
  return await withDeadline({ ms, late, signal }, async (limit) => {
    let sent: ClientRequest | undefined;
    try {
      const given = { ...options, signal: limit };
      const way = internet ? await openWay(new URL(url), given) : undefined;
      sent = send(url, {
        ...options,
        // Requests are far apart, so a reused connection would be dead.
        ...(way ?? { agent: false }),
        headers: { ...headers, ...length, ...way?.headers },
      });
      // If it ends before the response, this is also an error event.
      sent.on('error', () => undefined);
      const [message] = await once(sent.end(body), 'response', { signal: limit });
      const answer = { status: message.statusCode ?? 0, headers: message.headers, message };
      return await orAborted(read(answer), limit);
    } catch (error) {
      if (errorCode(error) === undefined) throw error;
      throw new Unreachable(`${server(error)}: ${reasonOf(error)}`, { cause: error });
    } finally {
      sent?.destroy();
    }
  });
}
