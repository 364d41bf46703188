/** MikroTik with RouterOS, over ssh or its REST API, depending on `transport` in rack.yaml. Both files say what was verified. */
import { driverKind } from '../contract/outlets.ts';
import { routerosRest } from './outlets-rest.ts';
import { routerosSsh } from './outlets-ssh.ts';

export const outlets = driverKind({
  model: 'routeros',
  automaticRepair: false,
  create: (device, deps) => {
    return device.transport === 'http' ? routerosRest(device, deps) : routerosSsh(device, deps);
  },
});
