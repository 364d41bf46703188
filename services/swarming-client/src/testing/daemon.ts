/** A power-cycle daemon with scripted answers. */
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { listen } from '@skolo/base/testing';

interface FakeDaemon {
  url: string;
  /** `POST /v1/… BODY`. */
  asked: string[];
  answer: { status: number; headers?: Record<string, string>; body: unknown };
  close(): Promise<void>;
}

export async function startDaemon(): Promise<FakeDaemon> {
  const server = createServer(async (request, response) => {
    const body = await text(request);
    daemon.asked.push(`${request.method} ${request.url}${body === '' ? '' : ` ${body}`}`);
    const { status, headers = {}, body: told } = daemon.answer;
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(typeof told === 'string' ? told : JSON.stringify(told));
  });
  const port = await listen(server);
  const close = () =>
    new Promise<void>((resolve) => {
      server.closeAllConnections();
      server.close(() => resolve());
    });
  const daemon: FakeDaemon = {
    url: `http://127.0.0.1:${port}`,
    asked: [],
    answer: { status: 404, body: {} },
    close,
  };
  return daemon;
}
