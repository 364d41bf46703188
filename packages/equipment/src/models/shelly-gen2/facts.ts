/** Shelly plug or relay of the second generation and later (JSON-RPC). Its switches are counted from 0. */
import { counted, type Model, whole } from '../contract/model.ts';

const load = () => import('./shelly-gen2.ts');

export const shellyGen2: Model = {
  name: 'shelly-gen2',
  label: 'second-generation Shelly relay or plug',
  transports: ['http'],
  power: {
    outlets: counted('relay', 'outlets', { first: 0 }),
    offSeconds: 10,
    nativeCycle: true,
    load,
  },
  backup: { no: 'it cannot export its configuration' },
  branches: { outlets: [], settings: ['GET /rpc/Shelly.GetConfig'] },
  options: {
    outlets: whole(1, 4).default(1).describe('Number of switches, numbered from 0.'),
  },
};
