/** Which messages keep their order: those of one alert. Alerts are spread over a bounded number of lanes. */
import { crc32 } from 'node:zlib';
import type { Message } from './message.ts';

/** Of heartbeats, which wait for nobody: their order does not matter. */
export const noLane = '';

/** `<location>-<n>`: an ordering key of Pub/Sub. Locations need not know of each other. */
export function lane(message: Message, location: string, lanes: number): string {
  switch (message.kind) {
    case 'heartbeat':
      return noLane;
    case 'notice':
      return `${location}-0`;
    default:
      return `${location}-${crc32(message.alert.fingerprint) % lanes}`;
  }
}
