/** A client of compatible endpoints: requests over real sockets, from any loopback address. */
import { once } from 'node:events';
import { type IncomingHttpHeaders, request } from 'node:http';
import { connect as openSocket } from 'node:net';

interface EndpointAnswer {
  status: number;
  text: string;
  headers: IncomingHttpHeaders;
}

interface EndpointRequest {
  method?: string;
  body?: string | Buffer;
  headers?: Record<string, string>;
  host?: string;
  /** The client's own address. */
  from?: string;
  signal?: AbortSignal;
}

/** One request on its own connection, and its complete answer. */
export async function sendRequest(
  port: number,
  path: string,
  options: EndpointRequest = {},
): Promise<EndpointAnswer> {
  const { method = 'GET', body, headers, host = '127.0.0.1', from, signal } = options;
  const asked = request({
    port,
    host,
    path,
    method,
    agent: false,
    ...(headers && { headers }),
    ...(from !== undefined && { localAddress: from }),
    ...(signal && { signal }),
  });
  asked.end(body);
  const answered = once(asked, 'response');
  const [response] = await answered;
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString('utf8');
  return { status: response.statusCode, text, headers: response.headers };
}

/** Sends raw text and returns everything received until the server ends the connection. */
export async function sendText(port: number, text: string, from = '127.0.0.1'): Promise<string> {
  const socket = openSocket({ port, host: '127.0.0.1', localAddress: from });
  socket.write(text);
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
