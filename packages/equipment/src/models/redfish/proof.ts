/** What its tests are made with. */
import type { ModelProof } from '../testing/proof.ts';

const reset = '/redfish/v1/Systems/1/Actions/ComputerSystem.Reset';
const resetAction = {
  target: reset,
  'ResetType@Redfish.AllowableValues': ['On', 'ForceOff', 'PowerCycle'],
};

export const proof: ModelProof = {
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
