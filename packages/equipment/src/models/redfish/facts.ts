/** A server, or a rack PDU, with Redfish. A server has one outlet, its system; a PDU has A1, A2 … */
import { z } from 'zod';
import { type Model, named, type Options, timeoutSeconds } from '../contract/model.ts';

const load = () => import('./redfish.ts');

function isServer({ rackPdu }: Options): boolean {
  return typeof rackPdu !== 'string';
}

export const redfish = {
  name: 'redfish',
  label: 'server or PDU with Redfish',
  transports: ['http'],
  power: {
    outlets: {
      ...named('outlet', 'system or outlet IDs, such as 1 or A1', (name) =>
        /^[\w.-]{1,60}$/.test(name) ? name : undefined,
      ),
      only: (options) => (isServer(options) ? String(options.system) : undefined),
    },
    offSeconds: 10,
    nativeCycle: true,
    isChassis: isServer,
    load,
  },
  backup: { no: 'Redfish cannot export a configuration that can be restored' },
  branches: {
    outlets: ['POST /redfish/v1/SessionService/Sessions, and DELETE, if it does not offer Basic'],
    settings: ['the same for each of the other outlets', 'GET the path of its manager or PDU'],
  },
  // The role ReadOnly (DSP0266, predefined roles).
  readOnly: ['outlets'],
  options: {
    https: z.boolean().default(true).describe('Whether to use HTTPS instead of HTTP.'),
    timeoutSeconds: timeoutSeconds(30),
    system: z
      .string()
      .regex(/^[\w.-]{1,60}$/)
      .default('1')
      .describe('ID of the system under /redfish/v1/Systems.'),
    rackPdu: z
      .string()
      .regex(/^[\w.-]{1,60}$/)
      .exactOptional()
      .describe('ID of the PDU under /redfish/v1/PowerEquipment/RackPDUs.'),
  },
} satisfies Model;
