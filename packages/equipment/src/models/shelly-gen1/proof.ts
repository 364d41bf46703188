/** What its tests are made with. */
import { type ShellyGen1Options, startShellyGen1 } from '@skolo/simulators';
import type { Setup } from '../testing/http.ts';
import type { ModelProof } from '../testing/proof.ts';
import { outlets as driver } from './shelly-gen1.ts';

const account = { username: 'admin', password: 'joker' };

export function withRelays(outlets: number, more: ShellyGen1Options = {}): Setup {
  const start = () => startShellyGen1({ outlets, account, secondMs: 5, ...more });
  return { kind: driver, start, options: { outlets }, login: account };
}

export const proof: ModelProof = {
  outlets: [
    { over: 'http', setup: withRelays(2), outlet: '1', others: ['2', '01', '0?turn=off', '-1'] },
  ],
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
