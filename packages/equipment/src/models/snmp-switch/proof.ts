/** What its tests are made with. */
import type { ModelProof } from '../testing/proof.ts';

export const proof: ModelProof = {
  answering: [
    {
      over: 'snmp',
      options: {
        on: { object: '1.3.6.1.4.1.9999.1.{outlet}', value: 1 },
        off: { object: '1.3.6.1.4.1.9999.1.{outlet}', value: 2 },
        read: { object: '1.3.6.1.4.1.9999.2.{outlet}', on: [7], off: [8] },
        watts: '1.3.6.1.4.1.9999.3.{outlet}',
      },
      outlet: '1',
      beside: '2',
      answers: {
        '': [
          {
            '1.3.6.1.4.1.9999.1.1': 1,
            '1.3.6.1.4.1.9999.1.2': 1,
            '1.3.6.1.4.1.9999.2.1': 7,
            '1.3.6.1.4.1.9999.2.2': 8,
            '1.3.6.1.4.1.9999.3.1': 40,
          },
          '1.3.6.1.4.1.9999.2.1',
          '1.3.6.1.4.1.9999.1.1',
        ],
      },
      off: 'set 1.3.6.1.4.1.9999.1.1=2',
      on: 'set 1.3.6.1.4.1.9999.1.1=1',
    },
  ],
  testedWith: {
    outlets: "Debian's snmpd",
  },
  recorded: { no: 'rack.yaml describes the equipment' },
};
