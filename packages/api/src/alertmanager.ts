/** The endpoints that receive alerts, and the part of Alertmanager's API v2 that amtool, dashboards and probes read. */
import { z } from 'zod';
import { route } from './route/route.ts';

const texts = z.record(z.string(), z.string());
const Names = z.array(z.object({ name: z.string() }));
const nothing = z.array(z.string()).max(0);

const GettableAlert = z
  .object({
    labels: texts,
    annotations: texts,
    startsAt: z.string(),
    endsAt: z.string(),
    updatedAt: z.string(),
    fingerprint: z.string(),
    generatorURL: z.string(),
    receivers: Names,
    status: z.object({
      state: z.literal('active'),
      inhibitedBy: nothing,
      mutedBy: nothing,
      silencedBy: nothing,
    }),
  })
  .meta({ id: 'AlertmanagerAlert' });
export type GettableAlert = z.output<typeof GettableAlert>;

const values = z.union([z.string(), z.array(z.string())]).optional();
const query = z.looseObject({
  filter: values.describe(
    'matcher, such as severity=~"crit.*"; an alert must satisfy all matchers',
  ),
  receiver: values.describe('regular expression for sink names'),
  active: values.describe('whether to return alerts; if false, the response is empty'),
});
/** Alertmanager sends errors as JSON strings. */
const Text = z.string();

const tags = ['alertmanager'];
const read = { method: 'get', role: 'view', tags } as const;
const receive = {
  method: 'post',
  tags,
  audits: { elsewhere: 'not recorded, because the spool stores every alert' },
} as const;
const noSilences = { tags, answers: { 200: z.object({}), 400: Text } } as const;
const silence = {
  ...noSilences,
  path: '/api/v2/silence/{id}',
  summary: 'Not supported: always 400',
  params: z.object({ id: z.string() }),
} as const;
const changesNothing = { elsewhere: 'the request changes nothing' };
const probe = { method: 'get', tags, answers: { 200: undefined }, types: ['text/plain'] } as const;

export const alertmanagerApi = {
  receiveV2: route({
    ...receive,
    path: '/api/v2/alerts',
    summary: 'Receives alerts that Prometheus sends to an Alertmanager',
    answers: { 200: undefined, 400: Text },
  }),
  receiveV1: route({
    ...receive,
    path: '/api/v1/alerts',
    summary: 'Receives alerts that Prometheus sends with api_version v1',
    answers: { 200: z.object({ status: z.literal('success') }) },
  }),
  receiveWebhook: route({
    ...receive,
    path: '/webhook',
    summary: "Receives Alertmanager's webhook message, version 4",
    answers: { 200: undefined },
  }),
  getAlerts: route({
    ...read,
    path: '/api/v2/alerts',
    summary: 'Lists firing alerts',
    query,
    answers: { 200: z.array(GettableAlert), 400: Text },
  }),
  getAlertGroups: route({
    ...read,
    path: '/api/v2/alerts/groups',
    summary: 'Lists firing alerts grouped by name, once for each sink',
    query,
    answers: {
      200: z.array(
        z.object({
          alerts: z.array(GettableAlert),
          labels: texts,
          receiver: z.object({ name: z.string() }),
        }),
      ),
      400: Text,
    },
  }),
  getReceivers: route({
    ...read,
    path: '/api/v2/receivers',
    summary: 'Lists the sinks',
    answers: { 200: Names },
  }),
  getStatus: route({
    ...read,
    path: '/api/v2/status',
    summary: 'Returns the version and the start time',
    answers: { 200: z.looseObject({}) },
  }),
  getSilences: route({
    ...read,
    path: '/api/v2/silences',
    summary: 'Returns an empty list',
    answers: { 200: nothing },
  }),
  postSilences: route({
    ...noSilences,
    method: 'post',
    path: '/api/v2/silences',
    summary: 'Not supported: always 400',
    audits: changesNothing,
  }),
  getSilence: route({ ...silence, method: 'get', role: 'view' }),
  deleteSilence: route({ ...silence, method: 'delete', audits: changesNothing }),
  ready: route({ ...probe, path: '/-/ready', summary: 'OK' }),
  healthy: route({ ...probe, path: '/-/healthy', summary: 'OK' }),
};
