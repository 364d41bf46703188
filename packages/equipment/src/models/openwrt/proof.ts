/** What its tests are made with. */
import { startOpenwrt } from '@skolo/simulators';
import type { ModelProof } from '../testing/proof.ts';

export const proof: ModelProof = {
  start: startOpenwrt,
  hosts: { ports: ['lan1', 'lan2', 'lan8', 'lan3'], knows: ['arp', 'lease'] },
  recorded: { no: 'no public recording has PoE ports' },
};
