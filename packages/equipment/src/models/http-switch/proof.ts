/** What its tests are made with. */
import { startHttpRelay } from '@skolo/simulators';
import type { Setup } from '../testing/http.ts';
import type { ModelProof } from '../testing/proof.ts';
import { outlets } from './http-switch.ts';

/** As in the driver's header. */
export const relays: Setup = {
  kind: outlets,
  start: () => startHttpRelay(),
  options: {
    outlets: 4,
    on: { method: 'PUT', path: '/relay/{outlet}/value', body: '1', expect: '^$' },
    off: { method: 'PUT', path: '/relay/{outlet}/value', body: '0', expect: '^$' },
    read: { path: '/relay/{outlet}/value', on: '^1$', off: '^0$' },
  },
};

export const proof: ModelProof = {
  outlets: [
    { over: 'http', setup: relays, outlet: '2', others: ['0', '5', '02', '{outlet}', '-1'] },
  ],
  answering: [
    {
      over: 'http',
      options: {
        on: { method: 'PUT', path: '/relay/{outlet}', body: 'on' },
        off: { method: 'PUT', path: '/relay/{outlet}', body: 'off' },
        read: { path: '/relay/{outlet}', on: '"on":true', off: '"on":false' },
      },
      outlet: '1',
      beside: '2',
      answers: {
        'GET /relay/1': [{ on: true, id: 1, meter: { watts: 4, valid: true }, name: 'lamp' }, 'on'],
        'GET /relay/2': [{ on: true }],
      },
      off: 'PUT /relay/1 off',
      on: 'PUT /relay/1 on',
    },
  ],
  testedWith: {
    outlets: "labgrid's `rest` backend",
  },
  recorded: { no: 'rack.yaml describes the equipment' },
};
