/** What its tests are made with. */
import { poeSwitchModel, startPoeSwitch } from '@skolo/simulators';
import type { ModelProof } from '../testing/proof.ts';
import type { SnmpSetup } from '../testing/snmp.ts';
import { outlets } from './snmp-poe.ts';

const objects = '1.3.6.1.2.1.105.1.1.1';
const ports = { ports: 24, groups: 2, detectMs: 100 };
export const setup: SnmpSetup = {
  kind: outlets,
  start: (options) => startPoeSwitch({ ...options, ...ports }),
  model: () => poeSwitchModel(ports),
  options: { portCount: 24, groups: 2 },
};

export const proof: ModelProof = {
  outlets: [
    {
      over: 'snmp',
      setup,
      outlet: '5',
      others: ['25', '3.5', '0.5', '2.25', '2.0', '2.5.1'],
      short: 'fault',
    },
  ],
  answering: [
    {
      over: 'snmp',
      outlet: '1',
      beside: '2',
      answers: {
        '': [
          {
            [`${objects}.3.1.1`]: 1,
            [`${objects}.3.1.2`]: 1,
            [`${objects}.6.1.1`]: 3,
            [`${objects}.6.1.2`]: 2,
            [`${objects}.10.1.1`]: 4,
          },
          `${objects}.3.1.1`,
        ],
      },
      off: `set ${objects}.3.1.1=2`,
      on: `set ${objects}.3.1.1=1`,
    },
  ],
  testedWith: {
    outlets: "Debian's snmpd and net-snmp tools",
    'connected hosts': "Debian's snmpd",
  },
  recorded: ['MAC tables', 'links'],
};
