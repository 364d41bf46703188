/** What its tests are made with. */
import { startRouteros } from '@skolo/simulators';
import { mark, typing } from '../testing/backed-up.ts';
import type { ModelProof } from '../testing/proof.ts';

const poe = '/rest/interface/ethernet/poe';
const port = { '.id': '*1', name: 'ether1', 'poe-out': 'auto-on', disabled: 'false' };

export const proof: ModelProof = {
  start: startRouteros,
  reported: { firmware: '7.15.3' },
  hosts: { ports: ['ether1', 'ether2', 'sfp-sfpplus1', 'ether3'], knows: ['arp', 'lease'] },
  answering: [
    {
      over: 'http',
      options: { https: false, portCount: 3 },
      outlet: 'ether1',
      beside: 'ether2',
      answers: {
        [`GET ${poe} `]: [
          [port, { ...port, '.id': '*2', name: 'ether2', 'poe-out': 'forced-on-bt' }],
          '0/.id',
          '0/name',
          '0/poe-out',
        ],
        [`POST ${poe}/monitor `]: [
          [{ name: 'ether1', 'poe-out-status': 'powered-on', 'poe-out-power': '4' }],
        ],
        '"poe-out":"off"': [{ ...port, 'poe-out': 'off' }, 'name', 'poe-out'],
        '"poe-out":"auto-on"': [port, 'name', 'poe-out'],
      },
      off: `PATCH ${poe}/*1 {"poe-out":"off"}`,
      on: `PATCH ${poe}/*1 {"poe-out":"auto-on"}`,
      onByDefault: `PATCH ${poe}/ether1 {"poe-out":"auto-on"}`,
    },
    {
      over: 'ssh',
      prompt: '',
      options: { portCount: 3 },
      outlet: 'ether1',
      beside: 'ether2',
      answers: {
        'monitor ether1': [
          `          name: ether1
       poe-out: auto-on
poe-out-status: powered-on
 poe-out-power: 24.7W

          name: ether2
       poe-out: forced-on-bt
poe-out-status: powered-on
 poe-out-power: 24.7W`,
          '          name: ether1$',
          '       poe-out: auto-on$',
        ],
      },
      off: '/interface ethernet poe set ether1 poe-out=off',
      on: '/interface ethernet poe set ether1 poe-out=auto-on',
      alsoReads: [
        {
          what: 'a mode that the first version of its manual does not have',
          answers: {
            'monitor ether1': [
              '          name: ether1\n       poe-out: forced-on-bt\npoe-out-status: powered-on',
            ],
          },
          as: { state: 'on', mode: 'forced-on-bt', delivering: true },
        },
      ],
    },
  ],
  backup: {
    ticks: true,
    change: typing(
      '> ',
      [`/interface ethernet set ether3 comment=${mark}`],
      ['/system identity print', 'name: '],
      '> ',
    ),
  },
  testedWith: {
    outlets: "skolo's simulators only",
    backups:
      "a simulator that RANCID and netmiko verified, and sessions that Oxidized's users recorded with real equipment, where available",
    restores: 'a simulator that runs the configuration language',
    'connected hosts': 'recordings',
  },
  recorded: ['MAC tables', 'ARP tables', 'configuration'],
};
