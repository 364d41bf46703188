/** Ubiquiti EdgeRouter (EdgeOS). PoE differs by model and port: 24 V, 48 V or none. */
import { z } from 'zod';
import { counted, type Model, whole } from '../contract/model.ts';
import { linuxHosts } from '../families/linux-facts.ts';

const ports = counted('port', 'portCount', { first: 0, prefix: 'eth' });

const load = () => import('./edgeos.ts');

export const edgeos: Model = {
  name: 'edgeos',
  label: 'Ubiquiti EdgeRouter',
  elsewhere: ['edgerouter', 'ubiquiti_edgerouter'],
  transports: ['ssh'],
  power: { outlets: ports, offSeconds: 5, nativeCycle: false, load },
  network: ports,
  connectedHosts: { load },
  backup: { load, needs: 'a user of level admin', seenBy: 'secrets shown as asterisks' },
  reported: { model: /^HW model: +(Edge.*\S)/m, firmware: /^Version: +(v\d\S*)/m },
  branches: {
    outlets: [
      'if a port has no setting: /opt/vyatta/bin/vyatta-op-cmd-wrapper show interfaces ethernet poe',
    ],
    hosts: linuxHosts('/opt/vyatta/bin/vyatta-op-cmd-wrapper show dhcp leases'),
  },
  options: {
    portCount: whole(1, 16).default(5).describe('Number of ports, starting with eth0.'),
    export: z
      .enum(['file', 'commands'])
      .default('file')
      .describe('Format of the backup: a configuration file, or a list of `set` commands.'),
  },
};
