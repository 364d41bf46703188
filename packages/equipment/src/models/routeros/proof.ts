/** What its tests are made with. */
import { startRouteros } from '@skolo/simulators';
import type { ModelProof } from '../testing/proof.ts';

export const proof: ModelProof = {
  start: startRouteros,
  reported: { firmware: '7.15.3' },
  hosts: { ports: ['ether1', 'ether2', 'sfp-sfpplus1', 'ether3'], knows: ['arp', 'lease'] },
  recorded: ['MAC tables', 'ARP tables', 'configuration'],
};
