/** What its tests are made with. */
import { type EdgeosOptions, startEdgeos } from '@skolo/simulators';
import { vyattaBackup } from '../testing/backed-up.ts';
import type { CliSetup } from '../testing/cli.ts';
import type { ModelProof } from '../testing/proof.ts';
import { outlets } from './edgeos.ts';

const edge = '/opt/vyatta/sbin/vyatta-cfg-cmd-wrapper';

export function router(ports?: EdgeosOptions['ports']): CliSetup {
  return {
    kind: outlets,
    start: (options) => startEdgeos({ ...options, ...(ports && { ports }) }),
    isBusyInside: true,
  };
}

export const proof: ModelProof = {
  outlets: [
    {
      over: 'cli',
      setup: router(),
      outlet: 'eth1',
      others: ['1', 'eth5', 'eth01', 'eth1.10', 'eth1; reboot'],
    },
  ],
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
