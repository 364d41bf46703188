/** What its tests are made with. */
import { startEdgeos } from '@skolo/simulators';
import type { ModelProof } from '../testing/proof.ts';

export const proof: ModelProof = {
  start: startEdgeos,
  reported: { hardware: 'EdgeRouter PoE 5-Port', firmware: 'v2.0.9-hotfix.6' },
  hosts: { ports: ['eth1', 'eth2', 'eth3', 'eth4'], knows: ['arp', 'lease'], isRouter: true },
  recorded: ['hardware and firmware'],
};
