/** A process that has just been started gets an alert, and delivers it to an HTTP receiver. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { bundleOf, NotRun, type ServerProcess } from '@skolo/bench';
import { inFolder, startAlertmanager, startAlertToPubsub } from './rack.ts';

type Start = (folder: string, receiver: string) => Promise<ServerProcess>;
/** @param seconds from the start of the process until the receiver had the alert */
type Measure = (server: { pid: number; seconds: number }) => number | Promise<number>;

const alertname = 'FirstAlert';

export async function firstAlert(start: Start, measure: Measure): Promise<number> {
  const arrived = Promise.withResolvers<void>();
  const receiver = createServer(async (request, response) => {
    // Heartbeats arrive, too.
    if ((await text(request)).includes(alertname)) arrived.resolve();
    response.end();
  });
  receiver.listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  const { port } = receiver.address() as AddressInfo;
  // It is built before the process starts.
  await bundleOf('alert-to-pubsub');
  try {
    return await inFolder(async (folder) => {
      const began = performance.now();
      const server = await start(folder, `http://127.0.0.1:${port}/`);
      try {
        await post(server);
        await arrived.promise;
        const seconds = (performance.now() - began) / 1000;
        return await measure({ pid: server.pid, seconds });
      } finally {
        await server.stop();
      }
    });
  } finally {
    receiver.close();
    receiver.closeAllConnections();
  }
}

export const ours: Start = (folder, url) =>
  startAlertToPubsub(folder, {
    settings: `    pubsub: false\n    sinks: [{ name: hook, kind: http, url: "${url}" }]`,
    onAllCores: true,
  });

/** Its own webhook receiver, without a pause for more alerts of the group. */
export const alertmanager: Start = async (folder, receiver) => {
  const options = { receiver, groupWait: '0s', onAllCores: true };
  const server = await startAlertmanager(folder, options);
  if (server === undefined) throw new NotRun('Debian: prometheus-alertmanager');
  return server;
};

async function post({ groups }: ServerProcess): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${groups.port}/api/v2/alerts`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify([{ labels: { alertname, severity: 'info' } }]),
  });
  if (!response.ok) throw new Error(`POST /api/v2/alerts: ${response.status}`);
}
