/** What its tests are made with. */
import {
  type RouterosOptions,
  type RouterosRestOptions,
  startRouteros,
  startRouterosRest,
} from '@skolo/simulators';
import { mark, typing } from '../testing/backed-up.ts';
import type { CliSetup } from '../testing/cli.ts';
import type { Setup } from '../testing/http.ts';
import type { ModelProof } from '../testing/proof.ts';
import { outlets } from './outlets.ts';

const poe = '/rest/interface/ethernet/poe';
const port = { '.id': '*1', name: 'ether1', 'poe-out': 'auto-on', disabled: 'false' };

const account = { username: 'power', password: 'joker' };

export function restPorts(portCount: number, more: RouterosRestOptions = {}): Setup {
  const start = () => startRouterosRest({ portCount, account, secondMs: 5, ...more });
  return {
    kind: outlets,
    start,
    options: { portCount, https: more.tls === true },
    login: account,
    // Turning on reads for 5 s at most, and then sends its command.
    patienceMs: 10_000,
  };
}

export function sshPorts(ports: number, more: Partial<RouterosOptions> = {}): CliSetup {
  return {
    kind: outlets,
    start: (options) => startRouteros({ ports, ...options, ...more }),
    options: { portCount: ports },
  };
}

export const proof: ModelProof = {
  outlets: [
    {
      over: 'cli',
      setup: sshPorts(8),
      outlet: 'ether3',
      others: ['3', 'ether0', 'ether9', '[find]', 'ether3;/quit', '*3'],
      short: 'short-circuit',
    },
    {
      over: 'http',
      setup: restPorts(3),
      outlet: 'ether2',
      others: ['2', '*2', 'ether0', 'ether4', 'ether2,ether3', 'sfp1'],
      short: 'short-circuit',
    },
  ],
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
    changedBy: /^ann$/,
    identity: { serial: 'HF9087654321', hostname: 'rack 4 router' },
    // As received over ssh.
    shows: (device) =>
      Buffer.from(device.running().toString('latin1').replaceAll('\n', '\r\n'), 'latin1'),
    inChannels: true,
    outcomes: { 'odd-line-ends': 'either' },
    incomplete: [
      ['', 'first line'],
      ['not enough permissions (9)\n', 'first line'],
      ['# 2026-11-20 10:00:00 by RouterOS 7.15.3\n# model = x\n', 'does not contain any menus'],
      ['# nov/20/2026 10:00:00 by RouterOS 6.49\n/ip pool\nadd name=\\\n', 'ends with a backslash'],
      [
        '# nov/20/2026 10:00:00 by RouterOS 6.49\n/ip pool\n10:37:49 echo: system,error x\nadd\n',
        'not a statement: "10:37:49',
      ],
      [
        '# 2026-11-20 10:00:00 by RouterOS 7.1\n/ip pool\nadd\n#error exporting "/routing/bgp" (timeout)\n',
        'could not export',
      ],
      ['# nov/20/2026 10:00:00 by RouterOS 6.49\n/ip pool\nadd na', 'is incomplete'],
    ],
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
