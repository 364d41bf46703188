import type { Former } from './route/former.ts';

/** Of routes about equipment, which was called devices. */
export const formerEquipment: Former = {
  path: { now: '/v1/equipment', was: '/v1/devices' },
  keys: [
    { now: 'equipment', was: 'device', type: 'string' },
    { now: 'equipment', was: 'devices' },
  ],
  values: [{ key: 'where', now: 'equipment', was: 'device' }],
};
