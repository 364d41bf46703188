/** What its tests are made with. */
import type { ModelProof } from '../testing/proof.ts';

const ports = '1.3.6.1.2.1.105.1.1.1';

export const proof: ModelProof = {
  answering: [
    {
      over: 'snmp',
      outlet: '1',
      beside: '2',
      answers: {
        '': [
          {
            [`${ports}.3.1.1`]: 1,
            [`${ports}.3.1.2`]: 1,
            [`${ports}.6.1.1`]: 3,
            [`${ports}.6.1.2`]: 2,
            [`${ports}.10.1.1`]: 4,
          },
          `${ports}.3.1.1`,
        ],
      },
      off: `set ${ports}.3.1.1=2`,
      on: `set ${ports}.3.1.1=1`,
    },
  ],
  testedWith: {
    outlets: "Debian's snmpd and net-snmp tools",
    'connected hosts': "Debian's snmpd",
  },
  recorded: ['MAC tables', 'links'],
};
