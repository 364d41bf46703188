/** What its tests are made with. */
import { type ShellyGen2Options, startShellyGen2 } from '@skolo/simulators';
import type { Setup } from '../testing/http.ts';
import type { ModelProof } from '../testing/proof.ts';
import { outlets as driver } from './shelly-gen2.ts';

const rpc = '"method":"Shelly.GetStatus"';

export function withSwitches(outlets: number, more: ShellyGen2Options = {}): Setup {
  return {
    kind: driver,
    start: () => startShellyGen2({ outlets, password: 'joker', secondMs: 5, ...more }),
    options: { outlets },
    login: { password: 'joker' },
  };
}

export const proof: ModelProof = {
  outlets: [
    { over: 'http', setup: withSwitches(2), outlet: '1', others: ['2', '01', 'true', '-1'] },
  ],
  answering: [
    {
      over: 'http',
      options: { outlets: 2 },
      outlet: '0',
      beside: '1',
      answers: {
        [rpc]: [
          {
            src: 'plug',
            result: {
              'switch:0': { id: 0, output: true, apower: null, temperature: { tC: 40 } },
              'switch:1': { id: 1, output: false, apower: 0 },
              'switch:100': { id: 100, output: false },
              sys: { uptime: 5 },
            },
          },
          'result/switch:0/id',
          'result/switch:0/output',
        ],
        'Switch.Set': [{ src: 'plug', result: { was_on: true } }, 'result/was_on'],
      },
      off: '"method":"Switch.Set","params":{"id":0,"on":false}',
      on: '"method":"Switch.Set","params":{"id":0,"on":true}',
      alsoReads: [
        {
          what: 'a power of null',
          answers: { [rpc]: [{ result: { 'switch:0': { id: 0, output: true, apower: null } } }] },
          as: { state: 'on' },
        },
        {
          what: 'only the switch of an add-on',
          answers: {
            [rpc]: [
              {
                result: {
                  ble: {},
                  'em:0': { id: 0 },
                  'switch:100': { id: 100, output: true },
                  sys: {},
                },
              },
            ],
          },
          as: { state: 'unknown' },
        },
      ],
    },
  ],
  testedWith: {
    outlets: 'pdudaemon and labgrid, manually',
  },
  recorded: ['switches'],
};
