/** What its tests are made with. */
import type { ModelProof } from '../testing/proof.ts';

export const proof: ModelProof = {
  answering: [
    {
      over: 'mqtt',
      options: {
        topic: 'plug',
        available: 'tele/{device}/LWT',
        state: 'stat/{device}/STATE{outlet}',
        read: { on: '"state":"ON"', off: '"state":"OFF"' },
      },
      outlet: '1',
      beside: '2',
      answers: {
        'cmnd/plug/POWER1 ON': [
          { 'stat/plug/STATE1': { state: 'ON', voltage: 230 } },
          'stat/plug/STATE1/state',
        ],
        'cmnd/plug/POWER1 OFF': [
          { 'stat/plug/STATE1': { state: 'OFF', uptime: 5 } },
          'stat/plug/STATE1/state',
        ],
        'cmnd/plug/POWER1 ': [
          {
            'stat/plug/RESULT': { POWER1: 'OFF' },
            'stat/plug/STATE1': { state: 'ON', power: 4, energy: { total: 1 } },
            'stat/plug/STATE': 'OFF',
          },
          'stat/plug/STATE1/state',
        ],
        'cmnd/plug/POWER2 ': [{ 'stat/plug/STATE2': { state: 'ON' } }, 'stat/plug/STATE2/state'],
        // Never replaced, because the message that the plug is back is not retained.
        '': [{ 'tele/plug/LWT': 'Offline', 'tele/plug/STATE': { POWER1: 'OFF' } }],
      },
      off: 'cmnd/plug/POWER1 OFF',
      on: 'cmnd/plug/POWER1 ON',
    },
  ],
  testedWith: {
    outlets: 'the brokers mosquitto and aedes, and a simulated plug',
  },
  recorded: { no: 'rack.yaml describes the equipment' },
};
