/** What its tests are made with. */
import { startSynaccess } from '@skolo/simulators';
import type { Setup } from '../testing/http.ts';
import type { ModelProof } from '../testing/proof.ts';
import { outlets } from './synaccess.ts';

export const setup: Setup = {
  kind: outlets,
  start: () => startSynaccess({ outlets: 5, secondMs: 5 }),
  options: { outlets: 5 },
  login: { username: 'admin', password: 'admin' },
};

export const proof: ModelProof = {
  outlets: [{ over: 'http', setup, outlet: '2', others: ['0', '6', '02', '2 0', '$A7', '-1'] }],
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
