/** What its tests are made with. */
import { type OpenwrtDevice, type OpenwrtOptions, startOpenwrt } from '@skolo/simulators';
import { appending, mark } from '../testing/backed-up.ts';
import type { CliSetup } from '../testing/cli.ts';
import type { ModelProof } from '../testing/proof.ts';
import { outlets } from './openwrt.ts';

export function withPorts(ports: number, more: Partial<OpenwrtOptions> = {}): CliSetup {
  return {
    kind: outlets,
    start: (options) => startOpenwrt({ ports, ...options, ...more }),
    options: { portCount: ports },
  };
}

export const proof: ModelProof = {
  outlets: [
    {
      over: 'cli',
      setup: withPorts(8),
      outlet: 'lan3',
      others: ['3', 'lan0', 'lan9', 'lan03', `lan3"}'; reboot; '`, 'wan'],
      short: 'Fault',
    },
  ],
  start: startOpenwrt,
  hosts: { ports: ['lan1', 'lan2', 'lan8', 'lan3'], knows: ['arp', 'lease'] },
  answering: [
    {
      over: 'ssh',
      prompt: '#',
      outlet: 'lan1',
      beside: 'lan2',
      answers: {
        'ubus call poe info': [
          {
            firmware: 'v17.1',
            budget: 65,
            consumption: 4.5,
            ports: {
              lan1: { priority: 0, mode: 'PoE+', status: 'Delivering power', consumption: 4.5 },
              lan2: { priority: 0, mode: 'PoE+', status: 'Searching' },
            },
          },
          'ports/lan1/status',
        ],
      },
      off: '{"port":"lan1","enable":false}',
      on: '{"port":"lan1","enable":true}',
    },
  ],
  backup: {
    change: appending('/etc/config/network', `# ${mark}`),
    identity: { hostname: 'openwrt-1' },
    contents: (device: OpenwrtDevice) => device.contents(),
    inChannels: true,
  },
  testedWith: {
    outlets: "skolo's simulators only",
    backups: "skolo's simulators only",
    restores: 'a simulator that keeps the file',
    'connected hosts': 'a Linux bridge',
  },
  recorded: { no: 'no public recording has PoE ports' },
};
