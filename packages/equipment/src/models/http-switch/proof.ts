/** What its tests are made with. */
import type { ModelProof } from '../testing/proof.ts';

export const proof: ModelProof = {
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
