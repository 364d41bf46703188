/** An Alertmanager that lists what a test says. */
import { createServer } from 'node:http';
import { listen } from '@skolo/base/testing';

export interface FakeAlertmanager {
  url: string;
  /** When its process was started; undefined: it does not say. */
  start: string | undefined;
  /** The alerts that it lists. */
  list: unknown[];
  /** Number of looks. */
  looks: number;
  /** How many seconds its clock is ahead; undefined: it sends no `Date`. */
  ahead: number | undefined;
}

export async function startFakeAlertmanager(): Promise<FakeAlertmanager> {
  const fake: FakeAlertmanager = { url: '', start: ago(3600), list: [], looks: 0, ahead: 0 };
  const server = createServer((request, response) => {
    if (fake.ahead === undefined) response.sendDate = false;
    else response.setHeader('date', new Date(Date.now() + fake.ahead * 1000).toUTCString());
    if (request.url === '/api/v2/alerts') {
      fake.looks += 1;
      return response.end(JSON.stringify(fake.list));
    }
    if (fake.start === undefined) return response.writeHead(503).end();
    return response.end(JSON.stringify({ uptime: fake.start }));
  });
  fake.url = `http://127.0.0.1:${await listen(server)}`;
  return fake;
}

/** So many seconds before now. */
export function ago(seconds: number): string {
  return new Date(Date.now() - seconds * 1000).toISOString();
}
