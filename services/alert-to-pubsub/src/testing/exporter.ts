/** A scrape target for Prometheus. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { onTestFinished } from 'vitest';

export interface Exporter {
  /** HOST:PORT */
  host: string;
  set(metric: string, value: number): void;
}

export async function startExporter(): Promise<Exporter> {
  const metrics = new Map<string, number>();
  const server = createServer((_, response) => {
    response.setHeader('content-type', 'text/plain; version=0.0.4');
    response.end([...metrics].map(([metric, value]) => `${metric} ${value}\n`).join(''));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  return { host: `127.0.0.1:${port}`, set: (metric, value) => void metrics.set(metric, value) };
}
