/** What its tests are made with. */
import { startUnifiSwitch, type UnifiSwitchOptions } from '@skolo/simulators';
import { appending, mark } from '../testing/backed-up.ts';
import type { CliSetup } from '../testing/cli.ts';
import type { ModelProof } from '../testing/proof.ts';
import { outlets } from './unifi-switch.ts';

export function withPorts(ports: number, more: Partial<UnifiSwitchOptions> = {}): CliSetup {
  return {
    kind: outlets,
    start: (options) => startUnifiSwitch({ ports, ...options, ...more }),
    options: { portCount: ports },
  };
}

const overTelnet: CliSetup = { ...withPorts(8, { fastpath: true }), transport: 'telnet' };

export const withoutSwctrl: CliSetup = {
  ...withPorts(12, { fastpath: true, swctrl: false }),
  signIns: 2,
};

export const proof: ModelProof = {
  outlets: [
    {
      over: 'cli',
      setup: withPorts(16),
      outlet: '3',
      others: ['0', '17', '03', '1,3', '3 id 4', '3;reboot'],
    },
    { over: 'cli', setup: overTelnet, outlet: '3', others: [], short: 'Fault' },
    { over: 'cli', setup: withoutSwctrl, outlet: '3', others: [] },
  ],
  start: startUnifiSwitch,
  hosts: { ports: ['1', '12', '16', '2'], knows: ['address'], options: { portCount: 16 } },
  answering: [
    {
      over: 'ssh',
      prompt: '#',
      options: { portCount: 8 },
      outlet: '1',
      beside: '2',
      answers: {
        'swctrl poe show': [
          `Total Power Limit(mW): 45000

Port  OpMode      HpMode    PwrLimit   Class   PoEPwr  PwrGood  Power(W)  Voltage(V)  Current(mA)
                              (mW)
----  ------  ------------  --------  -------  ------  -------  --------  ----------  -----------
   1    Auto        Dot3at     32000  Class 4      On     Good      6.81       53.24       128.00
   2     Off        Dot3at     32000  Unknown     Off      Bad      0.00        0.00         0.00`,
          '   1    Auto',
        ],
      },
      off: 'swctrl poe set off id 1',
      on: 'swctrl poe set auto id 1',
    },
  ],
  backup: {
    change: appending('/tmp/system.cfg', `snmp.location=${mark}`),
    identity: { serial: '788A20DE9ABC', hostname: 'unifi-1' },
    inChannels: true,
    incomplete: [
      ['', '"users."'],
      ["cat: can't open '/tmp/system.cfg': No such file or directory\n", '"users."'],
      ['users.status=enabled\nradio.status=enabled\n', '"switch."'],
      ['switch.status=enabled\nusers.1.name=ub', 'is incomplete'],
    ],
  },
  testedWith: {
    outlets: "skolo's simulators only",
    backups: "skolo's simulators only",
    restores: 'a simulator that keeps the file',
    'connected hosts': "skolo's simulators only",
  },
  recorded: ['PoE ports'],
};
