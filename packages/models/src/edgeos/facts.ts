/** Ubiquiti EdgeRouter (EdgeOS). PoE differs by model and port: 24 V, 48 V or none. */
import { z } from 'zod';
import { counted, type Model, whole } from '../contract/model.ts';

const ports = counted('port', 'portCount', { first: 0, prefix: 'eth' });

export const edgeos: Model = {
  name: 'edgeos',
  label: 'Ubiquiti EdgeRouter',
  elsewhere: ['edgerouter', 'ubiquiti_edgerouter'],
  transports: ['ssh'],
  power: { outlets: ports, offSeconds: 5, nativeCycle: false, load: () => import('./outlets.ts') },
  network: ports,
  stations: { load: () => import('./stations.ts') },
  backup: { load: () => import('./backup.ts') },
  accounts: { load: () => import('../families/vyatta/accounts.ts') },
  options: {
    portCount: whole(1, 16).default(5).describe('Number of its ports, from eth0.'),
    export: z
      .enum(['file', 'commands'])
      .default('file')
      .describe('Form of the backup: the configuration as a file, or as `set` commands.'),
  },
};
