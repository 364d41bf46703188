/** What its tests are made with. */
import { startEos } from '@skolo/simulators';
import { edited, enablePassword } from '../testing/backed-up.ts';
import type { ModelProof } from '../testing/proof.ts';

export const proof: ModelProof = {
  start: startEos,
  reported: { hardware: 'DCS-7050SX3-48YC8-R', firmware: '4.29.2F' },
  hosts: { ports: ['Et1', 'Et12', 'Et48', 'Et2'], knows: ['arp'] },
  backup: {
    start: (options) => startEos({ ...options, enablePassword }),
    tellsUnsaved: true,
    ticks: true,
    change: edited,
  },
  testedWith: {
    backups:
      "a simulator that RANCID and netmiko verified, and sessions that Oxidized's users recorded with real equipment, where available",
    restores: "a replayed session, written after the vendor's manuals",
    'connected hosts': 'recordings',
  },
  recorded: ['links', 'ARP tables', 'configuration'],
};
