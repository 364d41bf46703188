import { expect, it } from 'vitest';
import { type DeliveryFacts, deliveryOf } from './delivery-state.ts';

const time = '2026-11-20T12:00:00.000Z';
const working = { name: 'pubsub', lastSuccess: time };
const failing = { name: 'pagers', lastSuccess: time, failingSince: time, detail: 'refused' };
const fresh = { name: 'pagers' };
const well: DeliveryFacts = { healthy: true, lastHeard: time, spool: {}, sinks: [working] };
const silent = { healthy: false, why: 'Prometheus has been silent since 11:00' };
const rejecting = { healthy: false, why: 'no alert has been accepted: the disk is full' };
const test = '; to test alert delivery, run skolo alerts send';

it.each<[string, Partial<DeliveryFacts>, string, string]>([
  ['all is well', {}, 'delivered', ''],
  ['one sink has accepted nothing yet', { sinks: [working, fresh] }, 'delivered', ''],
  [
    'nothing was ever received',
    { lastHeard: undefined },
    'not confirmed',
    `no alert has been received yet${test}`,
  ],
  [
    'no sink has accepted anything',
    { sinks: [fresh] },
    'not confirmed',
    `no sink has accepted an alert yet${test}`,
  ],
  ['a sink fails', { sinks: [working, failing] }, 'failing', 'sink pagers: refused'],
  [
    'a sink fails before anything was received',
    { lastHeard: undefined, sinks: [failing] },
    'failing',
    'sink pagers: refused',
  ],
  [
    'alerts are rejected',
    { ...rejecting, spool: { rejecting: 'the disk is full' } },
    'failing',
    rejecting.why,
  ],
  ['Prometheus is silent', silent, 'silent', silent.why],
  [
    'it is silent from the beginning',
    { ...silent, lastHeard: undefined, sinks: [fresh] },
    'silent',
    silent.why,
  ],
  [
    'Prometheus is silent and a sink fails',
    { ...silent, sinks: [failing] },
    'failing',
    `${silent.why}; sink pagers: refused`,
  ],
])('%s', (_, facts, state, text) => {
  expect(deliveryOf({ ...well, ...facts })).toEqual({ state, text });
});
