/** Each server, and what it does with a request that deserves to be rejected. */
import type { Asked } from './send.ts';
import { machine, mapped, reader, type Sender, type ServerName } from './servers.ts';

/** Of `packages/common/src/http/server.ts`, before any app. */
export const ofServers = {
  'two lengths': 400,
  'many headers': 431,
  tunnel: 400,
  'not a path': 400,
  'two hosts': 400,
} as const;

/** In the order of `packages/common/src/http/app.ts` and `answer.ts`. */
export const refusals = [
  'wrong host',
  'proxy',
  'browser',
  'foreign rack',
  'unknown path',
  'wrong method',
  'no token',
  'wrong role',
  'too many',
  'wrong type',
  'too large',
  'another charset',
  'unknown compression',
  'damaged compression',
  'too large once decompressed',
] as const;
export type Refusal = keyof typeof ofServers | (typeof refusals)[number];

export interface Row {
  name: string;
  at: ServerName;
  asked: Pick<Asked, 'method' | 'path'> & Partial<Asked>;
  sender?: Sender;
  /** Another one, whose role is too low, or who has used up a limit. */
  senders?: { 'wrong role'?: Sender; 'too many'?: Sender };
  /** Its status with nothing to reject. */
  passes: number;
  /** Largest body, in bytes. */
  most?: number;
  /** Status of each rejection; or why there is none. Those of servers apply to all. */
  rejects: Readonly<Record<Refusal, number | string>>;
  /** Those that precede the others; default: none. */
  order?: readonly Refusal[];
}

const json = { 'content-type': 'application/json' };
const kibibyte = 1024;

const routed = {
  ...ofServers,
  'foreign rack': 421,
  'unknown path': 404,
  'wrong method': 405,
} as const;
const signedIn = { ...routed, 'no token': 401, 'wrong role': 403 } as const;
const body = {
  'wrong type': 415,
  'too large': 413,
  'another charset': 415,
  'unknown compression': 415,
  'damaged compression': 400,
  'too large once decompressed': 413,
} as const;
/** @param why there is no rejection */
const noneOf = (why: string) => mapped(body, () => why);

const cookies = 'proxies pass on cookies';
const noLimit = 'it has no limit of calls';
const byToken = 'no page or proxy has the token';
const anybody = 'it is for everybody who can connect';
const ofTokens = { 'wrong host': byToken, proxy: byToken, browser: byToken } as const;
const ofReads = noneOf('it has no body');
const open = {
  'wrong host': anybody,
  proxy: anybody,
  browser: anybody,
  'no token': anybody,
  'wrong role': anybody,
} as const;

const change = { ...signedIn, ...ofTokens, 'too many': noLimit, ...body } as const;
const probe = { ...routed, ...open, 'too many': noLimit, ...ofReads } as const;
const read = {
  ...routed,
  'wrong host': 401,
  proxy: 401,
  browser: 'a page of this server reads; of others, it has a wrong host',
  'no token': 401,
  'wrong role': 'it requires the lowest role',
  'too many': noLimit,
  ...ofReads,
} as const;
/** Only callers without a token are identified by their address. */
const readOrder = ['foreign rack', 'unknown path', 'wrong method', 'no token', 'proxy'] as const;

/** A page of another host is one of another site. */
const pageOrder = ['browser'] as const;

const admin = { sender: 'admin', senders: { 'wrong role': 'view' } } as const;
const page = { sender: 'page', senders: { 'wrong role': 'page of a viewer' } } as const;
const usual = { ...admin, most: kibibyte * kibibyte, rejects: change } as const;

function post(path: string, given: unknown) {
  return { method: 'POST', path, headers: json, body: JSON.stringify(given) };
}

export const rows: readonly Row[] = [
  {
    name: 'machine-state: a change',
    at: 'machine-state',
    asked: post('/v1/notes', { machines: ['rpi-1'], text: 'a' }),
    passes: 201,
    ...usual,
    rejects: { ...change, browser: 403 },
  },
  {
    name: 'machine-state: a page',
    at: 'machine-state',
    asked: post('/v1/notes', { machines: ['rpi-1'], text: 'a' }),
    ...page,
    passes: 201,
    most: kibibyte * kibibyte,
    rejects: { ...change, browser: 403, 'wrong host': 403, proxy: cookies },
    order: pageOrder,
  },
  {
    name: 'machine-state: a page that asks another service',
    at: 'machine-state',
    asked: post('/services/power-cycle-daemon/v1/holds', { targets: ['rpi-1'], reason: 'fan' }),
    ...page,
    passes: 503,
    rejects: {
      ...change,
      browser: 403,
      'wrong host': 403,
      proxy: cookies,
      'wrong method': 404,
      ...noneOf('the other service checks it'),
    },
    order: pageOrder,
  },
  {
    name: 'machine-state: without a token',
    at: 'machine-state',
    asked: { method: 'GET', path: '/v1/rack', from: reader },
    passes: 200,
    rejects: read,
    order: readOrder,
  },
  {
    name: 'machine-state: enrolment',
    at: 'enrolment',
    asked: post('/v1/enrol', { serial: '10000000f00dcafe', macs: [], model: 'Pi' }),
    passes: 403,
    most: 4 * kibibyte,
    rejects: { ...routed, ...open, 'too many': noLimit, ...body },
  },
  {
    name: 'router-backup: a change',
    at: 'router-backup',
    asked: post('/v1/backups', { equipment: ['nobody'] }),
    passes: 404,
    ...usual,
  },
  {
    name: 'router-backup: a masked text',
    at: 'router-backup',
    asked: { method: 'GET', path: '/v1/equipment/pdu-1/versions/1/content' },
    sender: 'view',
    senders: { 'too many': 'greedy' },
    passes: 404,
    rejects: { ...read, ...ofTokens, 'too many': 429 },
  },
  {
    name: 'alert-to-pubsub: a change',
    at: 'alert-to-pubsub',
    asked: post('/v1/dead-letters/retry', {}),
    passes: 200,
    ...usual,
  },
  ...['/webhook', '/api/v1/alerts', '/api/v2/alerts'].map(
    (path): Row => ({
      name: `alert-to-pubsub: ${path}`,
      at: 'alert-to-pubsub',
      asked: post(path, path === '/webhook' ? { version: '4', alerts: [] } : []),
      sender: 'alerts',
      passes: 200,
      most: 64 * kibibyte,
      rejects: {
        ...routed,
        ...open,
        browser: 403,
        'foreign rack': 'senders of alerts do not name a rack',
        'no token': 401,
        'wrong role': 'there is only one token',
        'too many': 'only bytes in flight are limited, so that no alert is lost',
        ...body,
        'wrong type': 'Prometheus, amtool and curl send three different ones',
      },
      order: ['unknown path', 'wrong method', 'browser'],
    }),
  ),
  {
    name: 'power-cycle-daemon: a change',
    at: 'power-cycle-daemon',
    asked: post('/v1/holds', { targets: ['nobody'], reason: 'fan' }),
    passes: 404,
    ...usual,
  },
  {
    name: 'power-cycle-daemon: a machine',
    at: 'power-cycle-daemon',
    asked: {
      ...post('/v1/own-devices/power-cycles', { devices: ['a'], reason: 'fan' }),
      from: machine,
    },
    sender: 'agent',
    passes: 403,
    most: 16 * kibibyte,
    rejects: { ...change, 'wrong role': 'machines have none' },
  },
  {
    name: 'power-cycle-daemon: the pdudaemon endpoint',
    at: 'pdudaemon',
    asked: { method: 'GET', path: '/power/control/off?alias=nobody' },
    passes: 500,
    rejects: {
      ...probe,
      'wrong host': 403,
      proxy: 403,
      browser: 403,
      'foreign rack': 'clients of pdudaemon do not name a rack',
    },
    order: ['proxy', 'browser'],
  },
  {
    name: 'metadata-server: its API',
    at: 'metadata API',
    asked: { method: 'GET', path: '/v1/clients', from: reader },
    passes: 200,
    rejects: read,
    order: readOrder,
  },
  {
    name: 'metadata-server: the metadata protocol',
    at: 'metadata-server',
    asked: {
      method: 'GET',
      path: '/computeMetadata/v1/instance/service-accounts/default/token',
      headers: { 'metadata-flavor': 'Google' },
    },
    passes: 200,
    rejects: {
      ...probe,
      'wrong host': 403,
      proxy: 403,
      'foreign rack': 'clients of Google do not name a rack',
      'no token': 403,
      'too many': 429,
    },
    order: ['too many', 'wrong host', 'proxy', 'no token'],
  },
  {
    name: 'agent: a change',
    at: 'agent status',
    asked: post('/v1/quarantine/clear', { why: 'fan' }),
    sender: 'services',
    passes: 200,
    most: 64 * kibibyte,
    rejects: { ...change, 'wrong role': 'the key of the services has all' },
  },
  {
    name: 'agent: without a signature',
    at: 'agent status',
    asked: { method: 'GET', path: '/v1/log', from: reader },
    passes: 200,
    rejects: { ...read, 'wrong host': 'the agent is reached by any name' },
    order: readOrder,
  },
  {
    name: 'agent: a hook',
    at: 'agent hooks',
    asked: post('/get_state', {}),
    passes: 200,
    most: kibibyte * kibibyte,
    rejects: { ...routed, ...open, 'wrong host': 403, browser: 403, 'too many': noLimit, ...body },
    order: ['wrong host', 'browser', 'unknown path'],
  },
  ...(['metrics port', 'agent metrics', 'watch metrics'] as const).map(
    (at): Row => ({
      name: at,
      at,
      asked: { method: 'GET', path: '/metrics' },
      passes: 200,
      rejects:
        at === 'watch metrics' ? { ...probe, 'foreign rack': 'it watches all racks' } : probe,
    }),
  ),
];
