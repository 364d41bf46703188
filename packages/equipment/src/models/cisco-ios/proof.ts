/** What its tests are made with. */
import { startCiscoIos } from '@skolo/simulators';
import type { ModelProof } from '../testing/proof.ts';

export const proof: ModelProof = {
  start: (options) => startCiscoIos({ ...options, privilege: 15 }),
  reported: { hardware: 'WS-C3650-24PS', firmware: '16.12.8' },
  hosts: { ports: ['Gi1/0/1', 'Gi1/0/12', 'Te1/1/1', 'Gi1/0/2'], knows: ['arp'] },
  recorded: ['MAC tables', 'links', 'ARP tables', 'PoE ports', 'configuration'],
};
