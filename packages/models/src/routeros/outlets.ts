/** MikroTik with RouterOS, over ssh or its REST API: `transport` in rack.yaml decides. What was verified is in those two files. */
import { driverKind } from '../contract/outlets.ts';
import { routerosRest } from './outlets-rest.ts';
import { routerosSsh } from './outlets-ssh.ts';

export const outlets = driverKind({
  model: 'routeros',
  experimental: true,
  create: (device, deps) => {
    return device.transport === 'http' ? routerosRest(device, deps) : routerosSsh(device, deps);
  },
});
