/** Decides which messages stay in order: those of one alert. Alerts are spread over a bounded number of ordering keys. */
import { crc32 } from 'node:zlib';
import type { Message } from './message.ts';

/** Messages with the same key keep their order: those about an alert, or notices of one kind. */
export function queueKey(message: Message): string {
  if (message.kind === 'heartbeat') return noOrderingKey;
  return message.kind === 'notice' ? message.notice : message.alert.fingerprint;
}

/** Heartbeats do not wait for other messages, and their order does not matter. */
export const noOrderingKey = '';

/** `<location>-<n>`, a Pub/Sub ordering key. */
export function orderingKey(message: Message, location: string, keys: number): string {
  switch (message.kind) {
    case 'heartbeat':
      return noOrderingKey;
    case 'notice':
      return `${location}-0`;
    default:
      return `${location}-${crc32(message.alert.fingerprint) % keys}`;
  }
}
