/** What the alert-to-pubsub of the tests knows, and what racks have published. */
import { type AlertMessage, encode, type HeartbeatMessage, type Message } from '@skolo/alerts';
import { DeadLetter, KnownAlert } from '@skolo/api';
import { z } from 'zod';
import { ago } from '../ago.ts';
import type { AlertWorld } from '../alert-to-pubsub.ts';
import { load } from './load.ts';

const hours = 3600;

const data = load(
  'alerts.yaml',
  z.object({ alerts: z.array(KnownAlert), deadLetters: z.array(DeadLetter) }),
);

export const exampleAlerts: AlertWorld = {
  knownAlerts: () => data().alerts,
  deadLetters: () => data().deadLetters,
};

let ids = 0;

function nextId(): string {
  ids += 1;
  return ids.toString(16).padStart(32, '0');
}

/** As received from a rack. */
export function published(message: Message, location: string) {
  const fields = { state: '__state__', link: 'link_to_source', location: 'location' };
  const { json, attributes } = encode(message, { format: 'flat', fields, location });
  return { data: Buffer.from(json), attributes };
}

export function alert(
  labels: Record<string, string>,
  changes: Partial<Omit<AlertMessage, 'alert'>> & {
    status?: 'firing' | 'resolved';
    summary?: string;
  } = {},
): AlertMessage {
  const { status = 'firing', summary, ...others } = changes;
  return {
    kind: 'transition',
    id: nextId(),
    at: ago(1),
    alert: {
      fingerprint: '0123456789abcdef',
      status,
      labels,
      annotations: summary === undefined ? {} : { summary },
      startsAt: ago(60),
    },
    endpoint: 'v2',
    first: ago(60),
    last: ago(1),
    count: 1,
    ...others,
  };
}

export function heartbeat(changes: Partial<HeartbeatMessage> = {}): HeartbeatMessage {
  return {
    kind: 'heartbeat',
    id: nextId(),
    at: ago(0),
    version: '1.2.3',
    healthy: true,
    spoolDepth: 0,
    spoolOldestSeconds: 0,
    startedAt: ago(3 * hours),
    ...changes,
  };
}

/** The messages in a workstation's subscriptions. */
export function backlog(): { location: string; message: Message }[] {
  const missing = { alertname: 'MachineMissing', severity: 'critical', machine: 'rpi-003' };
  const summary = 'rpi-003 was not seen for 15 min';
  const first = alert(missing, { summary });
  const late = { at: ago(3.5 * hours), status: 'resolved' as const };
  const disk = { alertname: 'DiskSpaceLow', severity: 'warning', instance: 'rpi-001:9100' };
  return [
    { location: 'rack4', message: first },
    // The rack sent it again: it had not received the acknowledgement.
    { location: 'rack4', message: first },
    { location: 'rack5', message: alert(disk, late) },
    { location: 'rack5', message: alert({ alertname: 'Watchdog' }, { kind: 'refresh' }) },
    {
      location: 'rack4',
      message: heartbeat({
        healthy: false,
        why: 'Prometheus is silent',
        spoolDepth: 7,
        spoolOldestSeconds: 150,
      }),
    },
    {
      location: 'rack4',
      message: {
        kind: 'notice',
        id: nextId(),
        at: ago(1),
        notice: 'gap',
        text: 'nothing could be sent for 3 hours; 120 messages that waited have arrived before this',
        facts: { waited: 120 },
      },
    },
    { location: 'rack4', message: alert(missing, { status: 'resolved', expired: true }) },
  ];
}
