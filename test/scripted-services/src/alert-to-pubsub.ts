/**
 * An alert-to-pubsub that sends immediately: its API over a real socket, with the conventions of every service. Alerts called `Rejected`
 * are not accepted, and those called `Stuck` never leave the rack.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { alertToPubsubApi as api, type ReceiverStatus, type SinkStatus } from '@skolo/api';
import { createApp, type ServiceContext } from '@skolo/common';
import { z } from 'zod';
import { ago } from './ago.ts';
import { exampleAlerts } from './example/alerts.ts';
import { type Place, type ScriptedService, startScriptedService } from './service.ts';
import type { TestTokens } from './tokens.ts';
import type { AlertWorld } from './worlds.ts';

interface Options {
  tokens: Pick<TestTokens, 'file'>;
  world?: AlertWorld;
  send?(labels: Record<string, string>, status: 'firing' | 'resolved'): Promise<void>;
  place?: Place;
}

const Posted = z.array(
  z.object({ labels: z.record(z.string(), z.string()), endsAt: z.iso.datetime() }),
);

/** Default: the rack of the examples. */
export function startAlertToPubsub({
  tokens,
  world = exampleAlerts,
  send,
  place,
}: Options): Promise<ScriptedService> {
  let isStuck = false;
  async function receive(request: IncomingMessage, response: ServerResponse) {
    for (const { labels, endsAt } of Posted.parse(JSON.parse(await text(request)))) {
      if (labels.alertname === 'Rejected') {
        const why = 'the spool is full; it sends what waits, and accepts then';
        response.writeHead(503, { 'content-type': 'application/json' }).end(JSON.stringify(why));
        return;
      }
      const status = Date.parse(endsAt) <= Date.now() ? 'resolved' : 'firing';
      if (labels.alertname === 'Stuck') isStuck = true;
      // It is sent when accepted, but not before the answer.
      else response.once('finish', () => void send?.(labels, status));
    }
    response.end();
  }
  const handler = (context: ServiceContext): RequestListener => {
    const app = createApp(context, {
      api,
      handlers: {
        alerts: () => ({ status: 200, body: { alerts: world.knownAlerts() } }),
        deadLetters: ({ query: { limit } }) => ({
          status: 200,
          body: { deadLetters: world.deadLetters().slice(0, limit) },
        }),
        retryDeadLetters: ({ body: { sink } }) => ({
          status: 200,
          body: sink === 'pagers' ? { retried: 0, kept: 0 } : { retried: 2, kept: 1 },
        }),
        status: () => ({ status: 200, body: statusOf(isStuck) }),
      },
    });
    return (request, response) => {
      if (request.url === '/api/v2/alerts') void receive(request, response);
      else app(request, response);
    };
  };
  return startScriptedService('alert-to-pubsub', tokens, handler, place);
}

function receiversOf(isSilent: boolean): ReceiverStatus[] {
  return [
    { name: 'prometheus', isExpected: false, isSilent: false, lastHeard: ago(26 * 60 * minutes) },
    {
      name: 'alertmanager',
      isExpected: true,
      isSilent,
      lastHeard: ago((isSilent ? 6.5 : 2.5) * minutes),
    },
  ];
}

function statusOf(isStuck: boolean) {
  return {
    location: 'rack4',
    healthy: !isStuck,
    ...(isStuck && { why: 'Prometheus has been silent for 6 min' }),
    lastHeard: ago((isStuck ? 6.5 : 2.5) * minutes),
    receivers: receiversOf(isStuck),
    firing: 2,
    spool: { bytes: 12_345, maxBytes: 1_073_741_824 },
    sinks: [isStuck ? stuck() : flowing(), pagers],
  };
}

const minutes = 60;
const pubsub = { name: 'pubsub', kind: 'pubsub' } as const;

function flowing(): SinkStatus {
  return { ...pubsub, depth: 0, oldestSeconds: 0, setAside: 0, lastSuccess: ago(2.5 * minutes) };
}

function stuck(): SinkStatus {
  const since = ago(5.5 * 60 * minutes);
  return {
    ...pubsub,
    depth: 12,
    oldestSeconds: 5.5 * 60 * minutes,
    setAside: 0,
    lastSuccess: since,
    failingSince: since,
    reason: 'permission',
    detail:
      'projects/my-project/topics/prometheus-alerts: these credentials have no permission to publish; grant them roles/pubsub.publisher',
  };
}

const pagers: SinkStatus = {
  name: 'pagers',
  kind: 'http',
  depth: 0,
  oldestSeconds: 0,
  setAside: 0,
};
