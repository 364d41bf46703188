/** Shelly plug or relay of the first generation. Its relays are counted from 0. */
import { counted, type Model, whole } from '../contract/model.ts';

const load = () => import('./shelly-gen1.ts');

export const shellyGen1: Model = {
  name: 'shelly-gen1',
  label: 'first-generation Shelly relay or plug',
  transports: ['http'],
  power: {
    outlets: counted('relay', 'outlets', { first: 0 }),
    offSeconds: 10,
    nativeCycle: true,
    load,
  },
  backup: { no: 'it cannot export its configuration' },
  branches: { outlets: ['GET /status'], settings: ['GET /settings'] },
  options: {
    outlets: whole(1, 4).default(1).describe('Number of relays, numbered from 0.'),
  },
};
