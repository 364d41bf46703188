/** Settings of alert-to-pubsub: where alerts go, how long they wait, when silence is an alarm. */

import { seconds, whole } from '@skolo/models';
import { z } from 'zod';
import { object, path, secret, section, text } from '../fields.ts';
import { httpUrl } from '../network-fields.ts';
import { common } from './common.ts';

const name = text(/^[a-z][a-z0-9-]{0,30}$/, 'a name for a sink', 'pagers');
const topic = text(/^(?!goog)[A-Za-z][\w.~+%-]{2,254}$/, 'a topic of Pub/Sub', 'prometheus-alerts');
const project = text(/^([a-z0-9.-]+:)?[a-z][a-z0-9-]{0,61}[a-z0-9]$/, 'a project id', 'my-project');

/** What every further sink has. */
const anySink = {
  heartbeat: z
    .boolean()
    .default(false)
    .describe(
      'Whether it gets the heartbeats, too: a dead-man service wants them, a pager does not.',
    ),
  dropWhenFull: z
    .boolean()
    .default(false)
    .describe(
      'When the spool is full, what only this sink has not got is dropped, and told, instead of refusing new alerts.',
    ),
};

const fileSink = object({
  ...anySink,
  name: name.describe(
    'Its position in the spool. A renamed sink starts again at the newest message.',
  ),
  kind: z.literal('file'),
  file: path.describe('Gets a JSON object a line.'),
  maxBytes: whole(1, 2 ** 50)
    .default(100 * 2 ** 20)
    .describe('Size at which the file becomes FILE.1 and a new one begins.'),
});

const httpSink = object({
  ...anySink,
  name: name.describe(
    'Its position in the spool. A renamed sink starts again at the newest message.',
  ),
  kind: z.literal('http'),
  url: httpUrl.describe('Gets a request for each message.'),
  method: z.enum(['POST', 'PUT']).default('POST').describe('How.'),
  headers: z
    .record(z.string(), z.string())
    .default({})
    .describe('More headers; `{{token}}` in one of them is its token.'),
  token: secret
    .exactOptional()
    .describe(
      'Sent as a bearer token, unless `{{token}}` stands in `url`, `headers` or `body`: then there.',
    ),
  body: z
    .string()
    .exactOptional()
    .describe(
      'Template of the body with `{{labels.alertname}}` and the like, escaped for JSON. `{{labels.severity | "warning"}}` takes the first that is not empty. Without a template, the message itself.',
    ),
  timeoutSeconds: seconds(0.1, 300).default(10).describe('Then it is tried again.'),
});

export const alertToPubsub = section({
  ...common,
  project: project
    .exactOptional()
    .describe('Project of the topic; by default that of the credentials.'),
  topic: topic
    .default('prometheus-alerts')
    .describe('Topic of Pub/Sub that alerts are published to.'),
  pubsub: z.boolean().default(true).describe('`false` where only `sinks` are wanted.'),
  createTopic: z
    .boolean()
    .default(true)
    .describe('Make the topic where it is missing and the credentials allow it.'),
  endpoint: text(/^[\w.-]+(:\d+)?$/, 'a host of Pub/Sub', 'us-east1-pubsub.googleapis.com:443')
    .exactOptional()
    .describe('A region of Pub/Sub; messages in order need all publishers in one.'),
  credentials: z
    .union([z.enum(['default', 'metadata']), object({ keyFile: path })])
    .default('default')
    .describe("The default chain of Google, the rack's own metadata server, or the path of a key."),
  location: z
    .string()
    .min(1)
    .max(100)
    .exactOptional()
    .describe('Location that alerts carry; by default the name of the rack.'),
  format: z
    .enum(['flat', 'full'])
    .default('flat')
    .describe(
      '`flat`: labels and annotations in one JSON object, as the original; `full`: the alert as Alertmanager has it, with its group.',
    ),
  fields: section({
    state: z.string().min(1).default('__state__').describe('Holds "active" or "resolved".'),
    link: z.string().min(1).default('link_to_source').describe('Holds the URL of the graph.'),
    location: z.string().min(1).default('location').describe('Holds the location.'),
  }).describe('Names of what `flat` adds to the labels.'),
  replicaLabels: z
    .array(z.string().min(1))
    .default(['prometheus_replica'])
    .describe('Labels that do not make another alert.'),
  orderingKeys: whole(1, 1000)
    .default(32)
    .describe('Alerts are spread over this many ordering keys.'),
  refreshSeconds: whole(1, 240)
    .default(60)
    .describe('An alert that goes on is told again after this long.'),
  repeatHours: z
    .number()
    .positive()
    .max(87_600)
    .default(24)
    .describe(
      'Alertmanager repeats within this time what still fires (`repeat_interval`, and some); what it does not is resolved as expired.',
    ),
  heartbeatSeconds: whole(1, 3600).default(15).describe('How often it says that it lives.'),
  watchdog: section({
    alert: z
      .string()
      .min(1)
      .default('Watchdog')
      .describe('The alert that always fires; any other counts, too.'),
    withinSeconds: whole(10, 86_400)
      .default(300)
      .describe(
        'Without one for this long, Prometheus or Alertmanager behind it is dead, and the heartbeat says so.',
      ),
    receivers: z
      .array(z.enum(['prometheus', 'alertmanager']))
      .optional()
      .describe(
        'Receivers that have to receive alerts within that time: `prometheus` (/api/v2/alerts), `alertmanager` (/webhook). By default those that have received the watchdog.',
      ),
  }).describe('Silence is detected.'),
  maxBodyBytes: whole(1024, 2 ** 30)
    .default(64 * 2 ** 20)
    .describe('Larger requests are refused with 413.'),
  auth: section({
    username: z
      .string()
      .min(1)
      .exactOptional()
      .describe('Basic auth that Alertmanager must send …'),
    password: secret.exactOptional().describe('… and its password.'),
    bearer: secret.exactOptional().describe('Or a bearer token.'),
  }).describe('Senders that may post alerts; by default everybody who reaches the port.'),
  spool: section({
    maxBytes: whole(2 ** 22, 2 ** 50)
      .default(2 ** 30)
      .describe('Beyond it new alerts are refused with 503.'),
    maxAgeHours: z
      .number()
      .positive()
      .max(87_600)
      .default(336)
      .describe('The same happens when the oldest message has waited this long.'),
    deadLetterBytes: whole(0, 2 ** 40)
      .default(10 * 2 ** 20)
      .describe('Limit of the file of dead letters.'),
  }).describe('Messages that wait while the uplink is away.'),
  sinks: z
    .array(z.discriminatedUnion('kind', [fileSink, httpSink]))
    .default([])
    .describe('Other places that get every message, each at its own pace.'),
});
export type AlertToPubsubSettings = z.output<typeof alertToPubsub>;
