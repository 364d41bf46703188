/** What its tests are made with. */
import { type CiscoIosOptions, startCiscoIos } from '@skolo/simulators';
import { enablePassword, mark, typing } from '../testing/backed-up.ts';
import type { CliSetup } from '../testing/cli.ts';
import type { ModelProof } from '../testing/proof.ts';
import { outlets } from './outlets.ts';

export function withPorts(ports: number, more: Partial<CiscoIosOptions> = {}): CliSetup {
  return {
    kind: outlets,
    start: (options) => startCiscoIos({ ports, privilege: 15, ...options, ...more }),
  };
}

export const proof: ModelProof = {
  outlets: [
    {
      over: 'cli',
      setup: withPorts(24),
      outlet: 'Gi1/0/3',
      others: ['3', 'Gi1/0/3 - 5', 'Vlan1', 'range Gi1/0/1'],
      short: 'faulty',
    },
    {
      over: 'cli',
      setup: { ...withPorts(8), transport: 'telnet' },
      outlet: 'Gi1/0/3',
      others: [],
    },
  ],
  start: (options) => startCiscoIos({ ...options, privilege: 15 }),
  reported: { hardware: 'WS-C3650-24PS', firmware: '16.12.8' },
  hosts: { ports: ['Gi1/0/1', 'Gi1/0/12', 'Te1/1/1', 'Gi1/0/2'], knows: ['arp'] },
  answering: [
    {
      over: 'ssh',
      prompt: 'switch#',
      outlet: 'Gi1/0/1',
      beside: 'Gi1/0/2',
      answers: {
        'show power inline Gi1/0/1': [
          `Interface Admin  Oper       Power   Device              Class Max
                            (Watts)
--------- ------ ---------- ------- ------------------- ----- ----
Gi1/0/1   auto   on         7.0     Ieee PD             2     30.0
Gi1/0/2   off    off        0.0     n/a                 n/a   30.0`,
          'Gi1/0/1   auto',
        ],
        'show power inline Gi1/0/2': [
          'Gi1/0/2   auto   on         7.0     Ieee PD             2     30.0',
        ],
        'show running-config interface': [
          `Current configuration : 80 bytes
!
interface GigabitEthernet1/0/1
 switchport mode access
 power inline auto
end`,
        ],
      },
      off: 'power inline never',
      on: 'power inline auto',
    },
  ],
  backup: {
    start: (options) => startCiscoIos({ ...options, ports: 4 }),
    tellsUnsaved: true,
    change: typing(
      '>',
      [
        'enable',
        enablePassword,
        'configure terminal',
        'interface Gi1/0/3',
        `description ${mark}`,
        'end',
      ],
      ['show version', 'Configuration register'],
    ),
    changedBy: /^admin, \d\d:\d\d:\d\d UTC \w+ \w+ \d+ \d{4}$/,
    identity: { serial: 'FDO1234X0AB', hostname: 'Switch' },
    outcomes: { busy: 'failed' },
    incomplete: [
      ['', 'the configuration does not start with'],
      ['% Authorization failed.\n', 'the configuration does not start with'],
      ['Current configuration : 30 bytes\nversion 16.12\nhostname x\n', 'the last line is'],
      [
        'Current configuration : 9000 bytes\nversion 16.12\nend\n',
        'the file has 18 bytes, but IOS reported',
      ],
    ],
  },
  testedWith: {
    outlets: 'netmiko',
    backups:
      "a simulator that RANCID and netmiko verified, and sessions that Oxidized's users recorded with real equipment, where available",
    restores: 'a simulator that runs the configuration language',
    'connected hosts': 'recordings',
  },
  recorded: ['MAC tables', 'links', 'ARP tables', 'PoE ports', 'configuration'],
};
