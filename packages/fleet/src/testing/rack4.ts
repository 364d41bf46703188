import type { K3sRack } from '../racks/clusters.ts';

export const rack4: K3sRack = {
  name: 'rack4',
  type: 'k3s',
  context: 'rack4',
  jumphost: 'jumphost-rack4',
  ways: [{ host: 'jumphost-rack4' }],
  apiPort: 1,
  internet: true,
  wave: 1,
  canary: false,
  overlay: '/nowhere',
};
