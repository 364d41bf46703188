/**
 * Settings of alert-to-pubsub, with defaults: sinks, timeouts, how large an alert webhook, and how large and old the spool may become,
 * heartbeats, when a sender counts as silent, `repeatHours`.
 */

import { isObject } from '@skolo/base';
import { whole } from '@skolo/equipment/models';
import { z } from 'zod';
import { hours, object, path, project, secret, section, text, word } from '../fields.ts';
import { httpUrl } from '../network-fields.ts';
import { anyService } from './any-service.ts';
import { httpRequest, withTemplate } from './http-request.ts';

const name = text(/^[a-z][a-z0-9-]{0,30}$/, 'a sink name', 'pagers');
const topic = text(/^(?!goog)[A-Za-z][\w.~+%-]{2,254}$/, 'a Pub/Sub topic', 'prometheus-alerts');

/** Keys of every sink. */
const anySink = {
  name: name.describe(
    'Name of the sink. A renamed sink counts as new, and starts with the oldest message that no sink has received.',
  ),
  heartbeat: z
    .boolean()
    .default(false)
    .describe(
      "Whether to also send heartbeats, which are meant for a dead man's switch, not for a pager.",
    ),
  refreshes: z
    .boolean()
    .exactOptional()
    .describe(
      'Whether to resend alerts that are still firing every `refreshSeconds`, which people do not need. Default: `false` if the sink has a `template`, `true` otherwise.',
    ),
  dropWhenFull: z
    .boolean()
    .default(false)
    .describe(
      'Whether to drop messages if the spool is full, instead of rejecting new alerts. Only messages that all other sinks have received are dropped. Drops are reported.',
    ),
};

const fileSink = object({
  ...anySink,
  kind: z.literal('file'),
  file: path.describe('File to which messages are appended, one JSON object per line.'),
  maxBytes: whole(1, 2 ** 50)
    .default(100 * 2 ** 20)
    .describe('Size at which the file is renamed to FILE.1.'),
});

const httpSink = object({
  ...anySink,
  kind: z.literal('http'),
  ...httpRequest,
  perMinute: whole(1, 100_000)
    .exactOptional()
    .describe(
      'Maximum number of messages sent in a minute; further ones wait. A longer pause that the receiver requests is respected. Default: that of the template, or no limit.',
    ),
}).transform(withTemplate);

export const alertToPubsub = section({
  ...anyService,
  project: project
    .exactOptional()
    .describe(
      'Google Cloud project that contains the topic; default: the project in the credentials.',
    ),
  topic: topic.default('prometheus-alerts').describe('Pub/Sub topic for alerts.'),
  pubsub: z
    .boolean()
    .default(true)
    .describe(
      'Whether to publish to Pub/Sub. If `false`, messages go only to `sinks`. The default is `false` if `sinks` is set and no Pub/Sub key, such as `project`, is set.',
    ),
  createTopic: z
    .boolean()
    .default(true)
    .describe('Whether to create a missing topic if the credentials permit it.'),
  endpoint: text(/^[\w.-]+(:\d+)?$/, 'a Pub/Sub host', 'us-east1-pubsub.googleapis.com:443')
    .exactOptional()
    .describe(
      'Regional Pub/Sub endpoint. Message ordering requires all publishers to use the same region.',
    ),
  credentials: z
    .union([z.enum(['default', 'metadata']), object({ keyFile: path })])
    .default('default')
    .describe(
      "`default`: Application Default Credentials; `metadata`: the rack's metadata server; `{ keyFile: PATH }`: a key file.",
    ),
  location: word
    .max(100)
    .exactOptional()
    .describe(
      'Location shown in alerts and heartbeats; default: the rack name. `skolo alerts watch` distinguishes racks by their locations.',
    ),
  format: z
    .enum(['flat', 'full'])
    .default('flat')
    .describe(
      "`flat` sends labels and annotations in one JSON object, as the Skia service does. `full` sends Alertmanager's alert with its group.",
    ),
  fields: section({
    state: word
      .default('__state__')
      .describe('Name of the field that contains "active" or "resolved".'),
    link: word.default('link_to_source').describe('Name of the field that contains the graph URL.'),
    location: word.default('location').describe('Name of the field that contains the location.'),
  }).describe('Names of the fields that `flat` adds to the labels.'),
  consoleUrl: httpUrl
    .exactOptional()
    .describe(
      "URL at which people open this rack's console. If set, each alert has an annotation `console` with a link that opens its card or incident, and messages of receivers link to it instead of the graph.",
    ),
  replicaLabels: z
    .array(word)
    .default(['prometheus_replica'])
    .describe(
      'Labels to ignore when comparing alerts, so that Prometheus replicas do not cause duplicates.',
    ),
  orderingKeys: whole(1, 1000)
    .default(32)
    .describe('Number of ordering keys across which alerts are distributed.'),
  refreshSeconds: whole(1, 240).default(60).describe('Interval at which a firing alert is resent.'),
  repeatHours: hours(87_600)
    .default(24)
    .describe(
      'How long to wait for Alertmanager to repeat a firing alert. Set this to at least twice its `repeat_interval`. An alert that is not repeated in time is resolved as expired.',
    ),
  heartbeatSeconds: whole(1, 3600).default(15).describe('Interval between heartbeats.'),
  watchdog: section({
    alert: word
      .default('Watchdog')
      .describe(
        'Name of the alert that always fires. Any other alert also confirms that alerts are arriving.',
      ),
    withinSeconds: whole(10, 86_400)
      .default(300)
      .describe(
        'Time without alerts after which the heartbeat reports Prometheus or Alertmanager as silent.',
      ),
    receivers: z
      .array(z.enum(['prometheus', 'alertmanager']))
      .optional()
      .describe(
        'Endpoints that must receive alerts within `withinSeconds`: `prometheus` (/api/v2/alerts), `alertmanager` (/webhook). Default: the endpoints that have received the watchdog alert.',
      ),
  }).describe('Detection of missing alerts.'),
  maxBodyBytes: whole(1024, 2 ** 30)
    .default(64 * 2 ** 20)
    .describe('Maximum request size; larger requests receive status 413.'),
  auth: section({
    username: word.exactOptional().describe('User name for basic auth.'),
    password: secret.exactOptional().describe('Password for basic auth.'),
    bearer: secret.exactOptional().describe('Bearer token, instead of basic auth.'),
  }).describe('Credentials that alert senders must use. By default, none are required.'),
  spool: section({
    maxBytes: whole(2 ** 22, 2 ** 50)
      .default(2 ** 30)
      .describe('Maximum size, above which new alerts are rejected with status 503.'),
    maxAgeHours: hours(87_600)
      .default(336)
      .describe(
        'How long messages may wait for a sink that accepts nothing. After that, new alerts are rejected with status 503.',
      ),
    deadLetterBytes: whole(0, 2 ** 40)
      .default(10 * 2 ** 20)
      .describe('Maximum size of the dead-letter file.'),
  }).describe('Queue that holds messages while the internet connection is down.'),
  sinks: z
    .array(z.discriminatedUnion('kind', [fileSink, httpSink]))
    .default([])
    .describe('Additional sinks. Each receives all messages and has its own queue.'),
}).refine(({ pubsub, sinks }) => pubsub || sinks.length > 0, {
  path: ['pubsub'],
  error:
    'is `false` and `sinks` is empty, so alerts would not be delivered; remove `pubsub: false`, or add a sink',
});
export type AlertToPubsubSettings = z.output<typeof alertToPubsub>;

const pubSubKeys = ['project', 'topic', 'createTopic', 'endpoint', 'credentials', 'orderingKeys'];

/**
 * The section with the default of `pubsub`, which depends on its other keys. If sinks are listed and nothing is configured for
 * Pub/Sub, its sink would never accept anything, and its queue would fill the spool.
 */
export function withPubSubDefault(written: unknown): unknown {
  if (!isObject(written) || Object.hasOwn(written, 'pubsub')) return written;
  const { sinks } = written;
  if (!Array.isArray(sinks) || sinks.length === 0) return written;
  return { ...written, pubsub: pubSubKeys.some((key) => Object.hasOwn(written, key)) };
}
