/** What its tests are made with. */
import { startJunos } from '@skolo/simulators';
import { edited } from '../testing/backed-up.ts';
import type { ModelProof } from '../testing/proof.ts';

export const proof: ModelProof = {
  start: startJunos,
  reported: { firmware: '21.4R3-S5.4' },
  hosts: {
    ports: ['ge-0/0/1', 'ge-0/0/12', 'xe-0/1/0', 'ge-0/0/2'],
    knows: ['arp'],
    older: (options) => startJunos({ ...options, hasEls: false }),
  },
  backup: { change: edited },
  testedWith: {
    backups:
      "a simulator that RANCID and netmiko verified, and sessions that Oxidized's users recorded with real equipment, where available",
    restores: "a replayed session, written after the vendor's manuals",
    'connected hosts': 'recordings',
  },
  recorded: ['MAC tables', 'configuration'],
};
