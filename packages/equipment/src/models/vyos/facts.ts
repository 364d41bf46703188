/** VyOS, a router on a PC: no PoE. */
import { z } from 'zod';
import { counted, type Model, whole } from '../contract/model.ts';
import { linuxHosts } from '../families/linux-facts.ts';

const load = () => import('./vyos.ts');

export const vyos: Model = {
  name: 'vyos',
  label: 'VyOS router',
  elsewhere: ['vyatta', 'vyatta_vyos', 'brocade_vyos'],
  transports: ['ssh'],
  network: counted('port', 'portCount', { first: 0, prefix: 'eth' }),
  connectedHosts: { load },
  backup: { load, needs: 'a user of level admin', seenBy: 'secrets shown as asterisks' },
  reported: { model: /^Version: +VyOS/m, firmware: /^Version: +VyOS (\S+)/m },
  branches: { hosts: linuxHosts('/opt/vyatta/bin/vyatta-op-cmd-wrapper show dhcp server leases') },
  options: {
    portCount: whole(1, 64).default(8).describe('Number of ports, starting with eth0.'),
    export: z
      .enum(['file', 'commands'])
      .default('file')
      .describe('Format of the backup: a configuration file, or a list of `set` commands.'),
  },
};
