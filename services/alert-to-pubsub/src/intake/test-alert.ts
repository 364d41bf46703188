import { randomBytes } from 'node:crypto';
import { type AlertMessage, testLabel } from '@skolo/alerts';
import { createIds } from '../state/ids.ts';
import { fingerprintOf } from './fingerprint.ts';

const newId = createIds();

/** A test alert as a message. Its label distinguishes it from other tests. @param now milliseconds since 1970 */
export function testAlert(now: number): AlertMessage {
  const at = new Date(now).toISOString();
  const id = randomBytes(6).toString('hex');
  const labels = { alertname: 'SkoloTest', severity: 'info', [testLabel]: id };
  const fingerprint = fingerprintOf(labels);
  const annotations = { summary: 'a test of alert delivery; no action is needed' };
  return {
    kind: 'transition',
    id: newId(fingerprint, now),
    at,
    endpoint: 'v2',
    first: at,
    last: at,
    count: 1,
    alert: { fingerprint, status: 'firing', labels, annotations, startsAt: at },
  };
}
