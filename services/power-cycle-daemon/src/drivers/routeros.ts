/** MikroTik with RouterOS, over ssh or its REST API: `transport` in rack.yaml says which. What is proven is said there. */
import type { DriverKind } from './driver.ts';
import { routerosRest } from './routeros-rest.ts';
import { routerosSsh } from './routeros-ssh.ts';

export const routeros: DriverKind = {
  model: 'routeros',
  experimental: true,
  create: (device, deps) => {
    return device.transport === 'http' ? routerosRest(device, deps) : routerosSsh(device, deps);
  },
};
