/** `fetch` for the polls of agents, with node:http: an answer takes half the processor time of the global one. */
import type { IncomingMessage } from 'node:http';
import * as https from 'node:https';
import type { Fetch } from '@skolo/api';
import * as http from '@skolo/base/http';

/** Connections stay open between the requests of a long poll. */
export class KeptConnections {
  private readonly plain = new http.Agent({ keepAlive: true });
  private readonly tls = new https.Agent({ keepAlive: true });

  readonly fetch: Fetch = (url, { method, headers, body, signal }) =>
    new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const isTls = url.startsWith('https:');
      const agent = isTls ? this.tls : this.plain;
      const sent = (isTls ? https : http).request(url, { method, headers, agent });
      let answer: IncomingMessage | undefined;
      signal.addEventListener('abort', () => (answer ?? sent).destroy(signal.reason));
      sent.on('error', reject);
      sent.on('response', (message) => {
        answer = message;
        const { statusCode: status = 0 } = message;
        resolve({
          status,
          ok: status >= 200 && status < 300,
          headers: { get: (name) => message.headers[name]?.toString() ?? null },
          body: message,
        });
      });
      sent.end(body);
    });

  close(): void {
    this.plain.destroy();
    this.tls.destroy();
  }
}
