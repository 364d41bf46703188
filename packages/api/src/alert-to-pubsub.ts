/** The API of alert-to-pubsub: firing alerts, queues, dead letters. alertmanager.ts has the endpoints that receive alerts. */
import { z } from 'zod';
import { Problem } from './route/problem.ts';
import { route } from './route/route.ts';
import { Time } from './time.ts';

const texts = z.record(z.string(), z.string());

export const KnownAlert = z
  .object({
    fingerprint: z.string().describe('fingerprint of the labels, as Alertmanager computes it'),
    status: z.enum(['firing', 'resolved']),
    labels: texts,
    annotations: texts,
    startsAt: Time,
    endsAt: Time.optional(),
    generatorURL: z.string().optional(),
    endpoint: z.enum(['webhook', 'v1', 'v2']).describe('endpoint that last received the alert'),
    first: Time.describe('when the alert was first received after it started firing'),
    last: Time,
    count: z.int().describe('number of times the alert was received'),
    expired: z
      .literal(true)
      .optional()
      .describe(
        'present if the alert was resolved because the sender stopped repeating or listing it',
      ),
  })
  .meta({ id: 'KnownAlert' });
export type KnownAlert = z.output<typeof KnownAlert>;

/** A destination of messages. */
export const SinkStatus = z
  .object({
    name: z.string(),
    kind: z.enum(['pubsub', 'file', 'http']),
    depth: z.int().describe('number of queued messages'),
    oldestSeconds: z.number().describe('age of the oldest queued message'),
    setAside: z
      .int()
      .describe('number of messages that have become dead letters since the service started'),
    doubtful: z
      .int()
      .optional()
      .describe(
        'number of times that a queued message may have arrived: it was sent without a conclusive response',
      ),
    lastSuccess: Time.optional(),
    failingSince: Time.optional(),
    reason: z.string().optional().describe('error class'),
    detail: z.string().optional().describe('error message'),
    down: z
      .literal(true)
      .optional()
      .describe('present while the sink is not accepting any messages'),
  })
  .meta({ id: 'SinkStatus' });
export type SinkStatus = z.output<typeof SinkStatus>;

/** The endpoints `/api/v2/alerts` and `/api/v1/alerts` for Prometheus, and `/webhook` for Alertmanager. */
export const Receiver = z.enum(['prometheus', 'alertmanager']);
export type Receiver = z.output<typeof Receiver>;

export const ReceiverStatus = z
  .object({
    name: Receiver,
    isExpected: z
      .boolean()
      .describe('whether the service is unhealthy if this receiver does not receive any alerts'),
    isSilent: z.boolean().describe('whether this receiver has not received anything for too long'),
    lastHeard: Time.optional(),
  })
  .meta({ id: 'ReceiverStatus' });
export type ReceiverStatus = z.output<typeof ReceiverStatus>;

export const DeadLetter = z
  .object({
    at: Time,
    from: z
      .string()
      .describe(
        'endpoint that received the message, sink that rejected it, or `spool` if it was not read',
      ),
    why: z.string(),
    found: z.unknown().describe('content as received; truncated if it is large'),
  })
  .meta({ id: 'DeadLetter' });
export type DeadLetter = z.output<typeof DeadLetter>;

export const alertToPubsubApi = {
  alerts: route({
    method: 'get',
    path: '/v1/alerts',
    summary: 'Lists firing and recently resolved alerts',
    description:
      'The service receives alerts from Alertmanager at `POST /webhook` (webhook version 4), and from Prometheus at `POST /api/v2/alerts` and `POST /api/v1/alerts`.',
    role: 'view',
    answers: { 200: z.object({ alerts: z.array(KnownAlert) }) },
  }),
  status: route({
    method: 'get',
    path: '/v1/status',
    summary: 'Returns the delivery status: silent receivers, queues and failing sinks',
    role: 'view',
    answers: {
      200: z.object({
        location: z.string(),
        healthy: z.boolean().describe('whether the heartbeat reports the service as healthy'),
        why: z.string().optional(),
        lastHeard: Time.optional().describe(
          'when the last alert was received, not counting test alerts',
        ),
        receivers: z.array(ReceiverStatus),
        firing: z.int(),
        unseen: z
          .string()
          .optional()
          .describe('why the end of an alert that is muted in Alertmanager is not detected'),
        spool: z.object({
          bytes: z.int(),
          maxBytes: z.int(),
          rejecting: z.string().optional().describe('why the spool is not accepting alerts'),
          damage: z.string().optional().describe('data that the spool has lost in the last day'),
        }),
        sinks: z.array(SinkStatus),
      }),
    },
  }),
  deadLetters: route({
    method: 'get',
    path: '/v1/dead-letters',
    summary: 'Lists invalid alerts and messages that a sink rejected, newest first',
    role: 'view',
    query: z.strictObject({ limit: z.coerce.number().int().min(1).max(1000).default(100) }),
    answers: { 200: z.object({ deadLetters: z.array(DeadLetter) }) },
  }),
  retryDeadLetters: route({
    method: 'post',
    path: '/v1/dead-letters/retry',
    summary: 'Resends dead letters, each to the sink that rejected it',
    repeated: 'returns `retried: 0`, unless the message has been rejected again',
    description:
      'The messages keep their IDs. If the state of an alert has changed in the meantime, a message with the current state follows. Messages that the sink rejects again become dead letters again.',
    role: 'operate',
    body: z.strictObject({
      sink: z.string().min(1).max(100).optional().describe('only dead letters from this sink'),
      reason: z.string().max(1000).optional().describe('for the audit log'),
    }),
    audits: { target: ['body.sink'], reason: 'body.reason', answer: ['retried', 'kept'] },
    answers: {
      200: z.object({
        retried: z.int().describe('number of messages that were queued again'),
        kept: z
          .int()
          .describe(
            'number of dead letters that cannot be resent because they are invalid or truncated, or because their sink is no longer in rack.yaml',
          ),
      }),
      404: Problem,
      503: Problem,
    },
  }),
  sendTest: route({
    method: 'post',
    path: '/v1/sinks/{sink}/test',
    summary: 'Sends a test alert, and its end, to one sink',
    repeated: 'sends another test',
    description: 'The test is queued behind earlier alerts. It is not listed with the alerts.',
    role: 'operate',
    params: z.object({ sink: z.string().min(1).max(100) }),
    audits: { target: ['params.sink'] },
    answers: { 202: undefined, 404: Problem, 503: Problem },
  }),
};
