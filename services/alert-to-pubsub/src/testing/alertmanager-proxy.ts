/** An address in front of an Alertmanager, which tests know before it is started, and at which it may fail. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { listen } from '@skolo/base/testing';

export interface AlertmanagerProxy {
  url: string;
  /** URL of the Alertmanager. */
  target: string;
  /** Number of answered requests for the list of alerts. */
  looks: number;
  /** Answers a request for the list instead of the Alertmanager. */
  answer: ((response: ServerResponse) => unknown) | undefined;
}

/** Starts a proxy that answers 502 if its target does not answer completely, as when that is killed meanwhile. */
export async function startAlertmanagerProxy(): Promise<AlertmanagerProxy> {
  const proxy: AlertmanagerProxy = { url: '', target: '', looks: 0, answer: undefined };

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const isLook = request.method === 'GET' && request.url === '/api/v2/alerts';
    try {
      if (isLook && proxy.answer !== undefined) await proxy.answer(response);
      else {
        const { status, body } = await forward(proxy.target, request);
        response.writeHead(status, { 'content-type': 'application/json' }).end(body);
      }
    } catch {
      response.writeHead(502).end();
    }
    if (isLook) proxy.looks += 1;
  }

  const server = createServer(respond);
  proxy.url = `http://127.0.0.1:${await listen(server)}`;
  return proxy;
}

async function forward(target: string, request: IncomingMessage) {
  const { url = '', method = '', headers } = request;
  const body = await buffer(request);
  const response = await fetch(`${target}${url}`, {
    method,
    headers: { 'content-type': headers['content-type'] ?? 'text/plain' },
    ...(method === 'POST' && { body }),
  });
  return { status: response.status, body: await response.text() };
}
