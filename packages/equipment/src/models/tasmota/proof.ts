/** What its tests are made with. */
import { startTasmota, type TasmotaOptions } from '@skolo/simulators';
import type { Setup } from '../testing/http.ts';
import type { ModelProof } from '../testing/proof.ts';
import { outlets as driver } from './tasmota.ts';

export function withRelays(outlets: number, more: TasmotaOptions = {}): Setup {
  return {
    kind: driver,
    start: () => startTasmota({ outlets, password: 'joker', secondMs: 5, ...more }),
    options: { outlets },
    login: { username: 'admin', password: 'joker' },
  };
}

export const proof: ModelProof = {
  outlets: [
    { over: 'http', setup: withRelays(2), outlet: '2', others: ['0', '3', '02', '2 OFF', '-1'] },
  ],
  answering: [
    {
      over: 'http',
      options: { outlets: 2 },
      outlet: '1',
      beside: '2',
      answers: {
        'cmnd=State ': [{ POWER1: 'ON', POWER2: 'OFF', Heap: 25, Wifi: { RSSI: 60 } }, 'POWER1'],
        'cmnd=Status%2010 ': [{ StatusSNS: { ENERGY: { Power: [4, 0] }, DHT: { Humidity: 40 } } }],
        OFF: [{ POWER1: 'OFF', POWER2: 'OFF' }, 'POWER1'],
        ON: [{ POWER1: 'ON', POWER2: 'OFF' }, 'POWER1'],
      },
      off: 'cmnd=Power1%20OFF ',
      on: 'cmnd=Power1%20ON ',
      alsoReads: [
        {
          what: 'a sensor that reports nan',
          answers: {
            'cmnd=Status%2010 ': ['{"StatusSNS":{"DS18B20":{"Temperature":nan},"TempUnit":"C"}}'],
          },
          as: { state: 'on' },
        },
      ],
    },
  ],
  testedWith: {
    outlets: 'pdudaemon and labgrid, manually',
  },
  recorded: { no: 'no public recording has whole answers' },
};
