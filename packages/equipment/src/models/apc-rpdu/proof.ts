/** What its tests are made with. */
import { apcRpduModel, startApcRpdu } from '@skolo/simulators';
import { apcBackup } from '../testing/backed-up.ts';
import type { ModelProof } from '../testing/proof.ts';
import type { SnmpSetup } from '../testing/snmp.ts';
import { outlets } from './apc-rpdu.ts';

const rpdu = '1.3.6.1.4.1.318.1.1.12.3';

export const setup: SnmpSetup = {
  kind: outlets,
  start: (options) => startApcRpdu({ ...options, outlets: 24 }),
  model: () => apcRpduModel({ outlets: 24 }),
};

export const proof: ModelProof = {
  outlets: [{ over: 'snmp', setup, outlet: '3', others: ['25', '3.1', '1.3'] }],
  reported: {
    text: 'APC Web/SNMP Management Card (MB:v3.9.2 PF:v3.7.4 PN:apc_hw02_aos_374.bin AF1:v3.7.4 AN1:apc_hw02_rpdu_374.bin MN:AP7920 HR:B2 SN: ZA0000000000 MD:05/08/2006)',
    hardware: 'AP7920',
    firmware: '3.7.4',
  },
  answering: [
    {
      over: 'snmp',
      outlet: '1',
      beside: '2',
      answers: {
        '': [
          {
            [`${rpdu}.1.2.0`]: 0,
            [`${rpdu}.3.1.1.4.1`]: 1,
            [`${rpdu}.3.1.1.4.2`]: 1,
            [`${rpdu}.4.1.1.2.1`]: 'host-1',
            [`${rpdu}.5.1.1.4.1`]: 1,
            [`${rpdu}.5.1.1.4.2`]: 2,
          },
          `${rpdu}.5.1.1.4.1`,
          `${rpdu}.3.1.1.4.1`,
        ],
      },
      off: `set ${rpdu}.3.1.1.4.1=2`,
      on: `set ${rpdu}.3.1.1.4.1=1`,
    },
  ],
  backup: apcBackup('rpdu'),
  testedWith: {
    outlets: "Debian's snmpd, fence_apc_snmp, and a walk of an AP7900",
    backups: "skolo's simulators only",
    restores: 'a simulator that keeps the file',
  },
  recorded: ['outlets'],
};
