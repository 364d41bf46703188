/** What its tests are made with. */
import type { ModelProof } from '../testing/proof.ts';

export const proof: ModelProof = {
  answering: [
    {
      over: 'http',
      options: { outlets: 2 },
      outlet: '0',
      beside: '1',
      answers: {
        'GET /shelly ': [{ type: 'SHSW-25', fw: '1', num_meters: 2 }],
        'GET /status ': [
          {
            relays: [
              { ison: true, has_timer: false },
              { ison: false, has_timer: false },
            ],
            meters: [{ power: 4, is_valid: true }, { power: 0 }],
            temperature: 40,
          },
          'relays/0/ison',
        ],
        'turn=off': [{ ison: false, has_timer: false, source: 'http' }, 'ison'],
        'turn=on': [{ ison: true, has_timer: false, source: 'http' }, 'ison'],
      },
      off: 'GET /relay/0?turn=off ',
      on: 'GET /relay/0?turn=on ',
    },
  ],
  testedWith: {
    outlets: 'pdudaemon and labgrid, manually',
  },
  recorded: ['relays'],
};
