/** Clients of HTTP servers, from any loopback address, each with a connection of its own. */
import { once } from 'node:events';
import { type Agent, type IncomingHttpHeaders, request } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';

export interface SendOptions {
  method?: string;
  headers?: Record<string, string>;
  body?: string | Buffer;
  /** The client's own address. */
  from?: string;
  signal?: AbortSignal;
  agent?: Agent;
}

export interface Reply {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
}

/** The path is sent unchanged, and redirects are not followed. */
export async function sendRequest(
  port: number,
  path: string,
  { from: localAddress = '127.0.0.1', body, ...options }: SendOptions = {},
): Promise<Reply> {
  const asked = request({ host: '127.0.0.1', port, path, localAddress, agent: false, ...options });
  const answered = once(asked.end(body), 'response');
  const [response] = await answered;
  return { status: response.statusCode, headers: response.headers, text: await text(response) };
}

/** What a server sends until it closes the connection. */
export function sendText(port: number, sent: string, from = '127.0.0.1'): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', localAddress: from });
  socket.write(sent);
  return text(socket);
}
