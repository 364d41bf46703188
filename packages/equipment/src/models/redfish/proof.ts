/** What its tests are made with. */
import { type RedfishOptions, startRedfish } from '@skolo/simulators';
import type { Setup } from '../testing/http.ts';
import type { ModelProof } from '../testing/proof.ts';
import { outlets } from './redfish.ts';

const reset = '/redfish/v1/Systems/1/Actions/ComputerSystem.Reset';
const resetAction = {
  target: reset,
  'ResetType@Redfish.AllowableValues': ['On', 'ForceOff', 'PowerCycle'],
};

export const login = { username: 'root', password: 'calvin' };

export function server(more: RedfishOptions = {}): Setup {
  const start = () => startRedfish({ tls: false, secondMs: 5, ...more });
  return { kind: outlets, start, options: { https: more.tls === true }, login, patienceMs: 35_000 };
}

export const proof: ModelProof = {
  outlets: [
    { over: 'http', setup: server(), outlet: '1', others: ['1?x', '../Chassis/1', 'a'.repeat(61)] },
    { over: 'http', setup: server({ tls: true }), outlet: '1', others: [] },
  ],
  answering: [
    {
      over: 'http',
      options: { https: false },
      outlet: '1',
      answers: {
        'GET /redfish/v1/Systems/1 ': [
          {
            Id: '1',
            Name: 'node',
            PowerState: 'On',
            PowerWatts: { Reading: 80 },
            Status: { Health: 'OK' },
            Links: { ManagedBy: [{ '@odata.id': '/redfish/v1/Managers/1' }] },
            Actions: { '#ComputerSystem.Reset': resetAction },
          },
          'PowerState',
          'Id',
        ],
      },
      off: `POST ${reset} {"ResetType":"ForceOff"}`,
      on: `POST ${reset} {"ResetType":"On"}`,
      alsoReads: [
        {
          what: 'a state that the standard does not have',
          answers: { 'GET /redfish/v1/Systems/1 ': [{ Id: '1', PowerState: 'Reset' }] },
          as: { state: 'unknown' },
        },
      ],
    },
  ],
  testedWith: {
    outlets: 'redfishtool (except PDU outlets)',
  },
  recorded: ['power of systems'],
};
