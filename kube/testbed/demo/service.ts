/**
 * A small service to build, deploy and measure. Each request costs processor time, so that its limit is that of the Pi and not of
 * the network. It has no dependencies: the image is the same files for every architecture.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createHistogram } from 'node:perf_hooks';

export interface Demo {
  port: number;
  /** Finishes the requests that it has. */
  close(): Promise<void>;
}

const mostBelow = 1_000_000;
const quantiles = [0.5, 0.9, 0.99];

/** @param port 0: any free one */
export async function startDemo({ host, port }: { host: string; port: number }): Promise<Demo> {
  const durations = createHistogram();
  let failures = 0;

  function answer(request: IncomingMessage, response: ServerResponse) {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://demo');
    if (pathname === '/healthz') return end(response, 200, { ok: true });
    if (pathname === '/metrics') {
      response.setHeader('content-type', 'text/plain; version=0.0.4');
      return response.end(metrics());
    }
    if (pathname !== '/primes') return end(response, 404, { detail: 'GET /primes?below=N' });
    const below = Number(searchParams.get('below') ?? 10_000);
    if (!Number.isInteger(below) || below < 0 || below > mostBelow) {
      failures += 1;
      return end(response, 400, { detail: `below: a whole number from 0 to ${mostBelow}` });
    }
    const start = process.hrtime.bigint();
    end(response, 200, { below, primes: countPrimes(below) });
    // A histogram holds whole numbers of at least 1.
    durations.record(process.hrtime.bigint() - start || 1n);
  }

  /** The text format of Prometheus. */
  function metrics(): string {
    const seconds = (nanoseconds: number) => (nanoseconds / 1e9).toFixed(6);
    return `${[
      '# TYPE demo_request_duration_seconds summary',
      ...quantiles.map((q) => {
        const value = durations.count === 0 ? 0 : durations.percentile(q * 100);
        return `demo_request_duration_seconds{quantile="${q}"} ${seconds(value)}`;
      }),
      `demo_request_duration_seconds_sum ${seconds(durations.count === 0 ? 0 : durations.mean * durations.count)}`,
      `demo_request_duration_seconds_count ${durations.count}`,
      '# TYPE demo_rejected_requests_total counter',
      `demo_rejected_requests_total ${failures}`,
    ].join('\n')}\n`;
  }

  const server = createServer(answer);
  server.listen(port, host);
  await once(server, 'listening');
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    async close() {
      server.close();
      server.closeIdleConnections();
      await once(server, 'close');
    },
  };
}

/** How many primes are smaller than a number, by the sieve of Eratosthenes. */
export function countPrimes(below: number): number {
  const isComposite = new Uint8Array(below);
  let count = 0;
  for (let n = 2; n < below; n++) {
    if (isComposite[n]) continue;
    count += 1;
    for (let multiple = n * n; multiple < below; multiple += n) isComposite[multiple] = 1;
  }
  return count;
}

function end(response: ServerResponse, status: number, body: object) {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
