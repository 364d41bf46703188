/** A server's management controller, over IPMI (RMCP+). Its only outlet is the chassis, which rack.yaml may omit. */
import { z } from 'zod';
import { type Model, named } from '../contract/model.ts';

export const ipmi = {
  name: 'ipmi',
  label: 'server with IPMI',
  transports: ['ipmi'],
  power: {
    outlets: {
      ...named('outlet', 'only chassis', (name) => (name === 'chassis' ? name : undefined)),
      only: () => 'chassis',
    },
    offSeconds: 10,
    nativeCycle: true,
    isChassis: () => true,
    load: () => import('./ipmi.ts'),
  },
  backup: { no: 'IPMI provides no access to the configuration' },
  options: {
    cipherSuite: z
      .union([z.literal(3), z.literal(17)])
      .default(17)
      .describe('RMCP+ cipher suite. Old controllers support only suite 3.'),
  },
} satisfies Model;
