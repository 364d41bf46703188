/** What its tests are made with. */
import { startNxos } from '@skolo/simulators';
import { edited } from '../testing/backed-up.ts';
import type { ModelProof } from '../testing/proof.ts';

export const proof: ModelProof = {
  start: startNxos,
  reported: { firmware: '9.3(8)' },
  hosts: { ports: ['Eth1/1', 'Eth1/12', 'Eth1/48', 'Eth1/2'], knows: ['arp'] },
  backup: { tellsUnsaved: true, ticks: true, change: edited },
  testedWith: {
    backups:
      "a simulator that RANCID and netmiko verified, and sessions that Oxidized's users recorded with real equipment, where available",
    restores: "a replayed session, written after the vendor's manuals",
    'connected hosts': 'recordings',
  },
  recorded: ['MAC tables', 'links', 'ARP tables', 'configuration'],
};
