/** alert-to-pubsub for a test: in this process, with its own Pub/Sub. */
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { alertToPubsubApi, type Client, createClient, type KnownAlert } from '@skolo/api';
import { pause } from '@skolo/base';
import { hangs } from '@skolo/base/durable/disk';
import { tempDir, untilTestEnds } from '@skolo/base/testing';
import { type Clock, createLogger, newToken, startService } from '@skolo/common';
import { type GooglePubSub, type GooglePubSubOptions, startGooglePubSub } from '@skolo/simulators';
import { onTestFinished } from 'vitest';
import { createAlertToPubsub } from '../service.ts';

interface LabOptions {
  /** The service's settings, in block style, without indentation; may contain the lab's directory. */
  settings?: string | ((dir: string) => string);
  clock?: Clock;
  /** At the top of rack.yaml. */
  alertmanager?: string;
  pubsub?: GooglePubSub;
  /** Of a stopped lab, which this one continues. */
  previous?: Lab;
  /** Contains the state and the settings. */
  dir?: string;
  /** Default: any free one. */
  port?: number;
  /** The client signs in as `ann`, an operator. */
  isOperator?: boolean;
}

/** What arrived: attributes and the fields of its JSON. */
export interface Arrived {
  kind: string;
  orderingKey: string;
  attributes: Record<string, string>;
  body: Record<string, string>;
}

export interface Lab {
  dir: string;
  stateDir: string;
  url: string;
  metricsUrl: string;
  pubsub: GooglePubSub;
  client: Client<typeof alertToPubsubApi>;
  logged: () => Record<string, unknown>[];
  /** Other settings, from then on. */
  edit: (settings: string) => Promise<void>;
  /** Posts alerts as Prometheus does ({@link postAlerts}). */
  post: (...alerts: unknown[]) => Promise<Response>;
  /** What has reached Pub/Sub, except heartbeats. */
  arrived: () => Arrived[];
  heartbeats: () => Arrived[];
  alerts: () => Promise<KnownAlert[]>;
  metrics: () => Promise<string>;
  readyz: () => Promise<{ status: number; body: string }>;
  stop: () => Promise<void>;
}

export const topic = 'projects/my-project/topics/prometheus-alerts';

export async function startLab(options: LabOptions = {}): Promise<Lab> {
  const { previous, clock, settings: given = '' } = options;
  const pubsub = options.pubsub ?? previous?.pubsub ?? (await newPubSub());
  const dir = options.dir ?? previous?.dir ?? (await tempDir());
  const stateDir = join(dir, 'state');
  await mkdir(stateDir, { recursive: true });
  const rackFile = join(dir, 'rack.yaml');
  const token = options.isOperator
    ? await newToken(join(dir, 'tokens.yaml'), { name: 'ann', role: 'operate', expiresInDays: 1 })
    : undefined;
  const edit = async (settings: string) => {
    const { alertmanager = 'none' } = options;
    const yaml = `alertmanager: ${alertmanager}\n${rackYaml(pubsub.endpoint, settings)}`;
    const signedIn = yaml.replace('access: {', 'access: { tokens: { file: tokens.yaml },');
    await writeFile(join(dir, 'new.yaml'), token === undefined ? yaml : signedIn);
    await rename(join(dir, 'new.yaml'), rackFile);
  };
  await edit(typeof given === 'string' ? given : given(dir));
  const lines: Record<string, unknown>[] = [];
  const service = await startService(
    createAlertToPubsub({
      ...{ openEveryMs: 50, checkEveryMs: 50, shrinkEveryMs: 200 },
      lookEveryMs: 50,
    }),
    {
      rackFile,
      stateDir,
      port: options.port ?? 0,
      metricsPort: 0,
      host: '127.0.0.1',
      log: createLogger({
        service: 'alert-to-pubsub',
        level: 'debug',
        destination: { write: (line: string) => void lines.push(JSON.parse(line)) },
      }),
      ...(clock && { clock }),
    },
  );
  const url = `http://127.0.0.1:${service.port}`;
  const metricsUrl = `http://127.0.0.1:${service.metricsPort}`;
  const client = createClient(alertToPubsubApi, {
    baseUrl: url,
    // As long as tests wait for anything.
    timeoutMs: 900_000,
    ...(token && { token }),
  });
  const stop = () => service.stop();
  onTestFinished(stop);
  const all = () => pubsub.published(topic).map(arrivedAs);
  return {
    dir,
    stateDir,
    url,
    metricsUrl,
    pubsub,
    client,
    logged: () => lines,
    edit,
    post: (...alerts) => postAlerts(url, alerts),
    arrived: () => all().filter(({ kind }) => kind !== 'heartbeat'),
    heartbeats: () => all().filter(({ kind }) => kind === 'heartbeat'),
    alerts: async () => (await client.alerts({})).alerts,
    metrics: async () => (await fetch(`${metricsUrl}/metrics`)).text(),
    async readyz() {
      const response = await fetch(`${metricsUrl}/readyz`);
      return { status: response.status, body: await response.text() };
    },
    stop,
  };
}

/**
 * Posts alerts to a service as Prometheus does. It posts them again, as all senders do, if the service was paused while the disk wrote, and
 * rejects them because it takes that for a disk that hangs.
 */
export async function postAlerts(url: string, alerts: readonly unknown[]): Promise<Response> {
  const body = JSON.stringify(alerts);
  for (;;) {
    const response = await fetch(`${url}/api/v2/alerts`, { method: 'POST', body });
    if (response.status !== 503 || !(await response.clone().text()).includes(hangs))
      return response;
    await response.body?.cancel();
    await pause(100);
  }
}

export async function newPubSub(options?: GooglePubSubOptions): Promise<GooglePubSub> {
  return untilTestEnds(await startGooglePubSub(options));
}

type Published = ReturnType<GooglePubSub['published']>[number];

/** Tests repeatedly inspect everything that has arrived. */
const parsed = new WeakMap<Published, Arrived>();

export function arrivedAs(message: Published): Arrived {
  const known = parsed.get(message);
  if (known !== undefined) return known;
  const { attributes, orderingKey, data } = message;
  const body = JSON.parse(data.toString());
  const arrived = { kind: attributes.kind ?? '', orderingKey, attributes, body };
  parsed.set(message, arrived);
  return arrived;
}

export function rackYaml(endpoint: string, settings: string) {
  const lines = settings.split('\n').map((line) => `    ${line}\n`);
  return `rack: rack4
jumphost: { name: jumphost-rack4, address: 127.0.0.1 }
access: { anonymousRead: [127.0.0.0/8] }
services:
  alert-to-pubsub:
    project: my-project
    endpoint: ${endpoint}
    stopWithin: 7
${lines.join('')}`;
}
