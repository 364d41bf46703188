/** What its tests are made with. */
import type { ModelProof } from '../testing/proof.ts';

export const proof: ModelProof = {
  answering: [
    {
      over: 'http',
      options: { outlets: 5 },
      outlet: '1',
      beside: '2',
      answers: {
        'cmd.cgi?$A5': ['$A0,01101,0.04,0.20,XX', '$A0,01101,'],
        'cmd.cgi?$A3': ['$A0', '$A0$'],
      },
      off: '$A3%201%200',
      on: '$A3%201%201',
    },
  ],
  testedWith: {
    outlets: "skolo's simulators only",
  },
  recorded: { no: 'no public recording' },
};
