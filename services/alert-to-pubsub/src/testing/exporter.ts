/** A scrape target for Prometheus. */
import { createServer } from 'node:http';
import { listen } from '@skolo/base/testing';

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
  const port = await listen(server);
  return { host: `127.0.0.1:${port}`, set: (metric, value) => void metrics.set(metric, value) };
}
