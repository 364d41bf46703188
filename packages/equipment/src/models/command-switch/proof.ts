/** What its tests are made with. */
import type { ModelProof } from '../testing/proof.ts';

export const proof: ModelProof = {
  answering: [
    {
      over: 'program',
      program: 'relay',
      options: {
        on: ['relay', 'set', '{outlet}', 'on'],
        off: ['relay', 'set', '{outlet}', 'off'],
        read: {
          command: ['relay', 'state', '{outlet}'],
          on: '(^|\n)relay 1: on',
          off: '(^|\n)relay 1: off',
        },
      },
      outlet: '1',
      beside: '2',
      answers: {
        'state 1': ['# 3 relays\nrelay 1: on   4 W\nrelay 2: off  0 W', 'relay 1: on'],
        'state 2': ['relay 2: off'],
      },
      off: 'set 1 off',
      on: 'set 1 on',
    },
  ],
  testedWith: {
    outlets: 'fence_apc_snmp and snmpget',
  },
  recorded: { no: 'rack.yaml describes the equipment' },
};
