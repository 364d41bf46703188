/** What its tests are made with. */
import { type EdgeSwitchOptions, startEdgeSwitch } from '@skolo/simulators';
import { enablePassword, mark, typing } from '../testing/backed-up.ts';
import type { CliSetup } from '../testing/cli.ts';
import type { ModelProof } from '../testing/proof.ts';
import { outlets } from './edgeswitch.ts';

export function withPorts(ports: number, more: Partial<EdgeSwitchOptions> = {}): CliSetup {
  return {
    kind: outlets,
    start: (options) => startEdgeSwitch({ ports, ...options, ...more }),
    options: { portCount: ports, stack: more.stack !== undefined },
  };
}

export const proof: ModelProof = {
  outlets: [
    {
      over: 'cli',
      setup: withPorts(48),
      outlet: '3',
      others: ['0', '49', '03', '0/3/1', '1/0/3', '-1'],
      short: 'Fault',
    },
    {
      over: 'cli',
      setup: { ...withPorts(8), transport: 'telnet' },
      outlet: '3',
      others: [],
    },
  ],
  start: startEdgeSwitch,
  reported: { hardware: 'EdgeSwitch 24-Port 250W', firmware: '1.9.3' },
  hosts: { ports: ['1', '12', '26', '2'], knows: [], options: { portCount: 24 } },
  answering: [
    {
      over: 'ssh',
      prompt: '(switch) #',
      options: { portCount: 8 },
      outlet: '1',
      beside: '2',
      answers: {
        'show poe port 0/1': [
          `Intf      OP Mode      HP Enable HP Mode    Detect Enable Disconnect Enable Class Enable
--------- ------------ --------- ---------- ------------- ----------------- ------------
0/1       Auto         Enable    Dot3at     Enable        Enable            Enable`,
          '0/1       Auto',
        ],
        'show poe port 0/2': [
          '0/2       Auto         Enable    Dot3at     Enable        Enable            Enable',
        ],
        'show poe status': [
          `Intf      Detection      Class   Consumed(W) Voltage(V) Current(mA) Temperature(C)
--------- -------------- ------- ----------- ---------- ----------- --------------
0/1       Good           Class4         4.10      53.46       77.00             43
0/2       Open Circuit   Unknown        0.00       0.00        0.00             43`,
          '0/1       Good',
        ],
      },
      off: 'poe opmode shutdown',
      on: 'poe opmode auto',
    },
  ],
  backup: {
    tellsUnsaved: true,
    ticks: true,
    change: typing(
      ' >',
      [
        'enable',
        enablePassword,
        'configure',
        'interface 0/3',
        `description '${mark}'`,
        'exit',
        'exit',
      ],
      ['show version', 'Software Version'],
    ),
    identity: { serial: 'F09FC2DE5678' },
    outcomes: { busy: 'failed' },
    incomplete: [
      ['', 'the configuration does not start with'],
      ['% Authorization failed.\n', 'the configuration does not start with'],
      [
        '!Current Configuration:\nvlan database\nexit\n',
        'the configuration does not contain the line "configure"',
      ],
      ['!Current Configuration:\nconfigure\nsntp server "x"\n', 'the last line is'],
      ['!Current Configuration:\nconfigure\nline console\nexit\n', 'the block "configure" is not'],
      [
        '!Current Configuration:\nconfigure\nset clibanner "\nexit\n"\nline console\nexit\n',
        'the block "configure" is not',
      ],
    ],
  },
  testedWith: {
    outlets: 'netmiko',
    backups: 'a simulator that RANCID and netmiko verified',
    restores: 'a simulator that runs the configuration language',
    'connected hosts': "skolo's simulators only",
  },
  recorded: ['hardware and firmware'],
};
