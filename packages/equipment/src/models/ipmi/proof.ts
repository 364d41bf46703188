/** What its tests are made with. */
import type { ModelProof } from '../testing/proof.ts';

export const proof: ModelProof = {
  answering: [
    {
      over: 'program',
      program: 'ipmitool',
      outlet: 'chassis',
      answers: {
        'power status': [
          'Loading...\nChassis Power is on\nClosing the session',
          'Chassis Power is on$',
        ],
        'power off': ['Chassis Power Control: Down/Off', 'Chassis Power Control: Down/Off$'],
        'power on': ['Chassis Power Control: Up/On', 'Chassis Power Control: Up/On$'],
      },
      off: 'chassis power off',
      on: 'chassis power on',
    },
  ],
  testedWith: {
    outlets: "Debian's ipmi_sim, also with a key (Kg)",
  },
  recorded: {
    no: 'its tests use the real program, ipmitool, and a simulator that its authors wrote',
  },
};
