/** What its tests are made with. */
import { apcRpdu2Model, startApcRpdu2 } from '@skolo/simulators';
import { apcBackup } from '../testing/backed-up.ts';
import type { ModelProof } from '../testing/proof.ts';
import type { SnmpSetup } from '../testing/snmp.ts';
import { outlets } from './apc-rpdu2.ts';

const rpdu2 = '1.3.6.1.4.1.318.1.1.26.9';

export const pdu = { outlets: 24, rebootSeconds: 0.2 };
export const setup: SnmpSetup = {
  kind: outlets,
  start: (options) => startApcRpdu2({ ...options, ...pdu }),
  model: () => apcRpdu2Model(pdu),
  options: { outlets: 24 },
};

export const proof: ModelProof = {
  outlets: [{ over: 'snmp', setup, outlet: '3', others: ['25', '3.1', '1.3'] }],
  reported: {
    text: 'APC Web/SNMP Management Card (MB:v4.1.0 PF:v6.8.2 PN:apc_hw05_aos_682.bin AF1:v6.8.0 AN1:apc_hw05_rpdu2g_680.bin MN:AP7900B HR:B2 SN: ZA0000000000 MD:08/07/2017) ',
    hardware: 'AP7900B',
    firmware: '6.8.0',
  },
  answering: [
    {
      over: 'snmp',
      outlet: '1',
      beside: '2',
      answers: {
        '': [
          {
            [`${rpdu2}.2.3.1.5.1`]: 2,
            [`${rpdu2}.2.3.1.5.2`]: 1,
            [`${rpdu2}.2.4.1.5.1`]: 1,
            [`${rpdu2}.2.4.1.5.2`]: 1,
            [`${rpdu2}.4.3.1.7.1`]: 40,
            [`${rpdu2}.4.3.1.7.2`]: -1,
          },
          `${rpdu2}.2.3.1.5.1`,
          `${rpdu2}.2.4.1.5.1`,
        ],
      },
      off: `set ${rpdu2}.2.4.1.5.1=2`,
      on: `set ${rpdu2}.2.4.1.5.1=1`,
    },
  ],
  backup: apcBackup('rpdu2'),
  testedWith: {
    outlets: "Debian's snmpd and net-snmp tools",
    backups: "skolo's simulators only",
    restores: 'a simulator that keeps the file',
  },
  recorded: { no: 'no public recording has the outlets of an AP8000 or newer' },
};
