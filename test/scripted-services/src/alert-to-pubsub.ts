/**
 * The answers of an alert-to-pubsub that sends immediately. Alerts called `Rejected` are not accepted, and those called `Stuck` never leave
 * the rack.
 */
import type { RequestListener } from 'node:http';
import { text } from 'node:stream/consumers';
import type { DeadLetter, KnownAlert, ReceiverStatus, SinkStatus } from '@skolo/api';
import { z } from 'zod';
import { ago } from './ago.ts';
import type { Answers, ApiOf } from './service.ts';

/** What it knows. */
export interface AlertWorld {
  knownAlerts(): KnownAlert[];
  deadLetters(): DeadLetter[];
}

/** @param isStuck after an alert that never leaves the rack */
export function alertAnswers(
  world: AlertWorld,
  isStuck = () => false,
): Answers<ApiOf<'alert-to-pubsub'>> {
  return {
    alerts: () => ({ alerts: world.knownAlerts() }),
    deadLetters: ({ query: { limit } }) => ({ deadLetters: world.deadLetters().slice(0, limit) }),
    retryDeadLetters: ({ body: { sink } }) =>
      sink === 'pagers' ? { retried: 0, kept: 0 } : { retried: 2, kept: 1 },
    sendTest: { status: 202 },
    status: () => statusOf(isStuck()),
  };
}

const Posted = z.array(
  z.object({ labels: z.record(z.string(), z.string()), endsAt: z.iso.datetime() }),
);

/** Receives alerts as Alertmanager posts them. */
export function receiving(
  listener: RequestListener,
  send: (labels: Record<string, string>, status: 'firing' | 'resolved') => Promise<void>,
): RequestListener {
  return async (request, response) => {
    if (request.url !== '/api/v2/alerts') return listener(request, response);
    for (const { labels, endsAt } of Posted.parse(JSON.parse(await text(request)))) {
      if (labels.alertname === 'Rejected') {
        const why = 'the spool is full; it sends what waits, and accepts then';
        response.writeHead(503, { 'content-type': 'application/json' }).end(JSON.stringify(why));
        return;
      }
      const status = Date.parse(endsAt) <= Date.now() ? 'resolved' : 'firing';
      // It is sent when accepted, but not before the answer.
      response.once('finish', () => void send(labels, status));
    }
    response.end();
  };
}

const minutes = 60;

function statusOf(isStuck: boolean) {
  const lastHeard = ago((isStuck ? 6.5 : 2.5) * minutes);
  const receivers: ReceiverStatus[] = [
    { name: 'prometheus', isExpected: false, isSilent: false, lastHeard: ago(26 * 60 * minutes) },
    { name: 'alertmanager', isExpected: true, isSilent: isStuck, lastHeard },
  ];
  return {
    location: 'rack4',
    healthy: !isStuck,
    ...(isStuck && { why: 'Prometheus has been silent for 6 min' }),
    lastHeard,
    receivers,
    firing: 2,
    spool: { bytes: 12_345, maxBytes: 1_073_741_824 },
    sinks: [isStuck ? stuck() : flowing(), pagers],
  };
}

const pagers: SinkStatus = {
  name: 'pagers',
  kind: 'http',
  depth: 0,
  oldestSeconds: 0,
  setAside: 0,
};

function flowing(): SinkStatus {
  return { ...pagers, name: 'pubsub', kind: 'pubsub', lastSuccess: ago(2.5 * minutes) };
}

function stuck(): SinkStatus {
  const since = ago(5.5 * 60 * minutes);
  return {
    ...flowing(),
    depth: 12,
    oldestSeconds: 5.5 * 60 * minutes,
    lastSuccess: since,
    failingSince: since,
    reason: 'permission',
    detail:
      'projects/my-project/topics/prometheus-alerts: these credentials have no permission to publish; grant them roles/pubsub.publisher',
  };
}
