/** Messages of one alert keep their order. Alerts are spread over a bounded number of ordering keys. */
import { crc32 } from 'node:zlib';
import type { Message } from './message.ts';

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
