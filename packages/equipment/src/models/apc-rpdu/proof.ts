/** What its tests are made with. */
import type { ModelProof } from '../testing/proof.ts';

export const proof: ModelProof = {
  reported: {
    text: 'APC Web/SNMP Management Card (MB:v3.9.2 PF:v3.7.4 PN:apc_hw02_aos_374.bin AF1:v3.7.4 AN1:apc_hw02_rpdu_374.bin MN:AP7920 HR:B2 SN: ZA0000000000 MD:05/08/2006)',
    hardware: 'AP7920',
    firmware: '3.7.4',
  },
  recorded: ['outlets'],
};
