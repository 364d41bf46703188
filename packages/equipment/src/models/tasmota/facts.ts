/** Plug or board with Tasmota firmware, over HTTP. With several relays, say how many. */
import { counted, type Model, whole } from '../contract/model.ts';

const words = ['GET /cm?cmnd=StateText1', 'GET /cm?cmnd=StateText2'];
const load = () => import('./tasmota.ts');

export const tasmota: Model = {
  name: 'tasmota',
  label: 'Tasmota plug',
  transports: ['http'],
  power: { outlets: counted('relay', 'outlets'), offSeconds: 10, nativeCycle: true, load },
  backup: { no: 'it cannot export its configuration in a readable form' },
  branches: {
    outlets: ['GET /cm?cmnd=Status%2010', ...words],
    settings: ['GET /cm?cmnd=Status%202', 'GET /cm?cmnd=Interlock'],
  },
  options: { outlets: whole(1, 32).default(1).describe('Number of relays.') },
};
