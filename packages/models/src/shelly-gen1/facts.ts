/** Shelly plug or relay of the first generation. Its relays are counted from 0. */
import { counted, type Model, whole } from '../contract/model.ts';

export const shellyGen1: Model = {
  name: 'shelly-gen1',
  label: 'Shelly of the first generation',
  transports: ['http'],
  power: {
    outlets: counted('relay', 'outlets', { first: 0 }),
    offSeconds: 10,
    nativeCycle: true,
    load: () => import('./outlets.ts'),
  },
  backup: { no: 'the device offers no export of its configuration' },
  accounts: { load: () => import('./accounts.ts') },
  options: { outlets: whole(1, 4).default(1).describe('Number of its relays, from 0.') },
};
