/** What its tests are made with. */
import { startEos } from '@skolo/simulators';
import type { ModelProof } from '../testing/proof.ts';

export const proof: ModelProof = {
  start: startEos,
  reported: { hardware: 'DCS-7050SX3-48YC8-R', firmware: '4.29.2F' },
  hosts: { ports: ['Et1', 'Et12', 'Et48', 'Et2'], knows: ['arp'] },
  recorded: ['links', 'ARP tables', 'configuration'],
};
