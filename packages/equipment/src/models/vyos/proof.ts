/** What its tests are made with. */
import { startVyos } from '@skolo/simulators';
import { vyattaBackup } from '../testing/backed-up.ts';
import type { ModelProof } from '../testing/proof.ts';

export const proof: ModelProof = {
  start: startVyos,
  reported: { firmware: '1.4.2' },
  hosts: { ports: ['eth1', 'eth2', 'eth3', 'eth4'], knows: ['arp', 'lease'], isRouter: true },
  backup: { ...vyattaBackup, identity: { serial: 'VY4C4C4544', hostname: 'vyos' } },
  testedWith: {
    backups: 'a simulator that RANCID verified',
    restores: 'a simulator that runs the configuration language',
    'connected hosts': 'a Linux bridge',
  },
  recorded: ['firmware', 'secrets of the configuration'],
};
