/** The endpoints of an app like the service's, on their own port, in front of an intake that keeps what it accepts. */
import { createServer, type RequestListener } from 'node:http';
import { join } from 'node:path';
import { listen, tempDir } from '@skolo/base/testing';
import { BodiesInFlight, type Clock, createEvents, createLogger } from '@skolo/common';
import { fakeClock } from '@skolo/common/testing';
import { type AlertToPubsubSettings, parseRack } from '@skolo/rack';
import { Registry } from 'prom-client';
import request from 'supertest';
import { createEventLog } from '../../event-log.ts';
import type { AlertEvent } from '../../events.ts';
import { ReceiverAuth } from '../auth.ts';
import { type AcceptAlerts, type Batch, type Received, receivedOf } from '../batch.ts';
import { createReceivers } from '../receivers.ts';

const yaml = `rack: rack4
timezone: Europe/Berlin
network: { subnet: 127.0.0.0/8 }
jumphost: { name: jumphost, address: 127.0.0.1 }
`;

interface LabOptions {
  /** The section of rack.yaml, on one line. */
  settings?: string;
  mostInFlightBytes?: number;
  /** Takes a batch, or throws. */
  accept?: (batch: Batch) => Promise<void>;
  now?: string;
}

type Events = ReturnType<typeof createEvents<AlertEvent>>;

export async function startReceivers(options: LabOptions = {}) {
  const { settings = '{}', mostInFlightBytes, accept, now = '2026-11-20T08:00:00Z' } = options;
  const dir = await tempDir();
  const file = join(dir, 'rack.yaml');
  const read = (section: string) =>
    parseRack(`${yaml}services: { alert-to-pubsub: ${section} }\n`, {
      file,
    });
  const rack = { rack: read(settings) };
  const clock = fakeClock(now);
  const metrics = new Registry();
  const { emit, consume } = createEvents<AlertEvent>();
  const { rejections, troubles } = notesOf(consume);
  const { logger, logged } = memoryLogger();
  const settingsNow = (): AlertToPubsubSettings => rack.rack.services['alert-to-pubsub'];
  consume(createEventLog(logger, clock));
  const auth = new ReceiverAuth({ rack: () => rack.rack, settings: settingsNow, emit });
  const { intake, batches, received } = keepingIntake(clock, accept);
  const receive = createReceivers({
    intake,
    auth,
    settings: settingsNow,
    clock,
    metrics,
    emit,
    bodies: new BodiesInFlight(mostInFlightBytes),
  });
  const app: RequestListener = (asked, response) => {
    receive(asked, response, () => response.writeHead(404).end());
  };
  const port = await listen(createServer(app));
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    port,
    dir,
    clock,
    batches,
    received,
    rejections,
    troubles,
    logged,
    metrics: () => metrics.metrics(),
    edit: (section: string) => {
      rack.rack = read(section);
    },
    async post(path: string, body: object | string, headers: Record<string, string> = {}) {
      const sent = typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
      return await request(app).post(path).set(headers).send(sent);
    },
  };
}

function memoryLogger() {
  let log = '';
  const logger = createLogger({
    service: 'test',
    level: 'trace',
    destination: {
      write(line: string) {
        log += line;
      },
    },
  });
  return { logger, logged: () => log };
}

/** Keeps what it accepts. */
function keepingIntake(clock: Clock, accept: LabOptions['accept']) {
  const batches: Batch[] = [];
  const received: Received[] = [];
  const intake: AcceptAlerts = {
    async accept(read) {
      const batch = read();
      await accept?.(batch);
      batches.push(batch);
      const one = receivedOf(batch, clock.now());
      received.push(one);
      return one;
    },
  };
  return { intake, batches, received };
}

/** From the events: what was rejected, and what is wrong now. */
function notesOf(consume: Events['consume']) {
  const rejections: { endpoint: string; reason: string }[] = [];
  const troubles = new Map<string, string>();
  consume((event) => {
    if (event.type === 'rejected') {
      const { endpoint, reason } = event;
      rejections.push({ endpoint, reason });
    }
    if (event.type === 'request-failed')
      rejections.push({ endpoint: event.endpoint, reason: 'failed' });
    if (event.type !== 'degraded') return;
    if (event.why === undefined) troubles.delete(event.what);
    else troubles.set(event.what, event.why);
  });
  return { rejections, troubles };
}

export type ReceiverLab = Awaited<ReturnType<typeof startReceivers>>;

/** As Alertmanager 0.25 sends it. */
export function webhook(more: Record<string, unknown> = {}) {
  return {
    receiver: 'skolo',
    status: 'firing',
    alerts: [
      {
        status: 'firing',
        labels: { alertname: 'Disk', severity: 'critical' },
        annotations: { summary: 'full' },
        startsAt: '2026-11-20T07:30:00.123456789Z',
        endsAt: '0001-01-01T00:00:00Z',
        generatorURL: 'http://prometheus/graph?g0.expr=up&g0.tab=1',
        fingerprint: '0123456789abcdef',
      },
    ],
    groupLabels: { alertname: 'Disk' },
    commonLabels: { alertname: 'Disk', severity: 'critical' },
    commonAnnotations: { summary: 'full' },
    externalURL: 'http://alertmanager:9093',
    version: '4',
    groupKey: '{}:{alertname="Disk"}',
    truncatedAlerts: 0,
    ...more,
  };
}

/** One entry of a list from Prometheus. */
export function listed(more: Record<string, unknown> = {}) {
  return {
    annotations: { summary: 'full' },
    endsAt: '2026-11-20T08:04:00.000Z',
    startsAt: '2026-11-20T07:30:00.123Z',
    generatorURL: 'http://prometheus/graph?g0.expr=up&g0.tab=1',
    labels: { alertname: 'Disk', severity: 'critical' },
    ...more,
  };
}
