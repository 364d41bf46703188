import { Agent, type IncomingHttpHeaders, request } from 'node:http';

export interface Reply {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

export interface AskOptions {
  method?: string;
  /** Replaces the usual `Metadata-Flavor: Google`. */
  headers?: Record<string, string>;
  /** The caller's address; this computer owns all of 127.0.0.0/8. */
  from?: string;
  signal?: AbortSignal;
  agent?: Agent;
}

export const flavor = { 'Metadata-Flavor': 'Google' };

/** One request over its own connection; the path is sent unchanged, and redirects are not followed. */
export function ask(port: number, path: string, options: AskOptions = {}): Promise<Reply> {
  const { method = 'GET', headers = flavor, from = '127.0.1.1', signal, agent } = options;
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        host: '127.0.0.1',
        port,
        path,
        method,
        headers,
        localAddress: from,
        agent: agent ?? new Agent({ keepAlive: false }),
        ...(signal && { signal }),
      },
      (response) => {
        let body = '';
        response.setEncoding('utf8');
        response.on('data', (chunk) => {
          body += chunk;
        });
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
        );
        response.on('error', reject);
      },
    );
    asked.on('error', reject);
    asked.end();
  });
}
