/** The API of alert-to-pubsub: what fires, what waits, what was rejected. alertmanager.ts has the endpoints that receive alerts. */
import { z } from 'zod';
import { Problem } from './problem.ts';
import { route } from './route.ts';
import { Time } from './time.ts';

const texts = z.record(z.string(), z.string());

export const KnownAlert = z
  .object({
    fingerprint: z.string().meta({ description: 'of its labels, as Alertmanager computes it' }),
    status: z.enum(['firing', 'resolved']),
    labels: texts,
    annotations: texts,
    startsAt: Time,
    endsAt: Time.optional(),
    generatorURL: z.string().optional(),
    door: z.enum(['webhook', 'v1', 'v2']).meta({ description: 'endpoint that last received it' }),
    first: Time.meta({ description: 'when this firing was first received' }),
    last: Time,
    count: z.int().meta({ description: 'how often it was received' }),
    expired: z.literal(true).optional().meta({ description: 'it was not repeated in time' }),
  })
  .meta({ id: 'KnownAlert' });
export type KnownAlert = z.output<typeof KnownAlert>;

/** A place that messages are sent to. */
export const SinkStatus = z
  .object({
    name: z.string(),
    kind: z.enum(['pubsub', 'file', 'http']),
    depth: z.int().meta({ description: 'messages that wait for it' }),
    oldestSeconds: z.number().meta({ description: 'how long the oldest of them has waited' }),
    setAside: z
      .int()
      .default(0)
      .meta({ description: 'messages that became dead letters since the service started' }),
    lastSuccess: Time.optional(),
    failingSince: Time.optional(),
    reason: z.string().optional().meta({ description: 'class of the error' }),
    detail: z.string().optional().meta({ description: 'for people' }),
    down: z
      .literal(true)
      .optional()
      .meta({ description: 'it accepts no message; absent while it accepts some and not others' }),
  })
  .meta({ id: 'SinkStatus' });
export type SinkStatus = z.output<typeof SinkStatus>;

/** What receives alerts: `/api/v2/alerts` and `/api/v1/alerts` for Prometheus, `/webhook` for Alertmanager. */
export const Receiver = z.enum(['prometheus', 'alertmanager']);
export type Receiver = z.output<typeof Receiver>;

export const ReceiverStatus = z
  .object({
    name: Receiver,
    isExpected: z
      .boolean()
      .meta({ description: 'the service is unhealthy when it receives nothing' }),
    isSilent: z.boolean().meta({ description: 'nothing was received for too long' }),
    lastHeard: Time.optional(),
  })
  .meta({ id: 'ReceiverStatus' });
export type ReceiverStatus = z.output<typeof ReceiverStatus>;

export const DeadLetter = z
  .object({
    at: Time,
    from: z
      .string()
      .meta({ description: 'the endpoint that received it, or the sink that rejected it' }),
    why: z.string(),
    found: z.unknown().meta({ description: 'as it came, cut where it is large' }),
  })
  .meta({ id: 'DeadLetter' });
export type DeadLetter = z.output<typeof DeadLetter>;

export const alertToPubsubApi = {
  alerts: route({
    method: 'get',
    path: '/v1/alerts',
    summary: 'Alerts that fire, and those that were resolved a short time ago',
    description:
      'The service receives alerts at `POST /webhook` (webhook of Alertmanager, version 4), `POST /api/v2/alerts` and `/api/v1/alerts` (as Prometheus posts them).',
    role: 'view',
    answers: { 200: z.object({ alerts: z.array(KnownAlert) }) },
  }),
  status: route({
    method: 'get',
    path: '/v1/status',
    summary: 'Delivery: which receivers are silent, what waits, what arrives',
    role: 'view',
    answers: {
      200: z.object({
        location: z.string(),
        healthy: z.boolean().meta({ description: 'as the heartbeat reports it' }),
        why: z.string().optional(),
        lastHeard: Time.optional().meta({
          description: 'when any alert but a test was last received',
        }),
        receivers: z.array(ReceiverStatus),
        firing: z.int(),
        spool: z.object({
          bytes: z.int(),
          maxBytes: z.int(),
          refusing: z.string().optional().meta({ description: 'why nothing is accepted' }),
          damage: z
            .string()
            .optional()
            .meta({ description: 'what the spool has lost in the last day, for people' }),
        }),
        sinks: z.array(SinkStatus),
      }),
    },
  }),
  deadLetters: route({
    method: 'get',
    path: '/v1/dead-letters',
    summary: 'Invalid alerts, and messages that a sink rejects; the newest first',
    role: 'view',
    query: z.strictObject({ limit: z.coerce.number().int().min(1).max(1000).default(100) }),
    answers: { 200: z.object({ deadLetters: z.array(DeadLetter) }) },
  }),
  retryDeadLetters: route({
    method: 'post',
    path: '/v1/dead-letters/retry',
    summary: 'Sends the messages among the dead letters again, each to the sink that rejected it',
    description:
      'They keep their ids. If an alert has changed since, a message with its present state follows. A sink that still rejects them makes them dead letters again.',
    role: 'operate',
    body: z.strictObject({
      sink: z.string().min(1).max(100).optional().meta({ description: 'only its dead letters' }),
      reason: z.string().max(1000).optional().meta({ description: 'for the audit log' }),
    }),
    audits: { target: ['body.sink'], reason: 'body.reason', answer: ['retried', 'kept'] },
    answers: {
      200: z.object({
        retried: z.int().meta({ description: 'messages that wait in the spool again' }),
        kept: z.int().meta({
          description:
            'dead letters that stay: not a message, cut because of its size, or its sink has left rack.yaml',
        }),
      }),
      404: Problem,
      503: Problem,
    },
  }),
};
