/** What its tests are made with. */
import { startEdgeos } from '@skolo/simulators';
import { vyattaBackup } from '../testing/backed-up.ts';
import type { ModelProof } from '../testing/proof.ts';

const edge = '/opt/vyatta/sbin/vyatta-cfg-cmd-wrapper';

export const proof: ModelProof = {
  start: startEdgeos,
  reported: { hardware: 'EdgeRouter PoE 5-Port', firmware: 'v2.0.9-hotfix.6' },
  hosts: { ports: ['eth1', 'eth2', 'eth3', 'eth4'], knows: ['arp', 'lease'], isRouter: true },
  answering: [
    {
      over: 'ssh',
      prompt: 'ubnt@router:~$',
      outlet: 'eth1',
      beside: 'eth2',
      answers: {
        returnActiveValue: [
          'port eth1\n48v status 0\nport eth2\n24v status 0',
          'port eth1$',
          '48v status 0$',
        ],
      },
      off: `${edge} set interfaces ethernet eth1 poe output off`,
      on: `${edge} set interfaces ethernet eth1 poe output 48v`,
      staysOff: 'the wrong voltage could destroy the attached device',
    },
  ],
  backup: { ...vyattaBackup, identity: { serial: '802AA8DE1234', hostname: 'ubnt' } },
  testedWith: {
    outlets: "skolo's simulators only",
    backups: 'a simulator that RANCID verified',
    restores: 'a simulator that runs the configuration language',
    'connected hosts': 'a Linux bridge',
  },
  recorded: ['hardware and firmware'],
};
