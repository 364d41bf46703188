/** MikroTik (RouterOS), over ssh or its REST API. `forced-on` of a port is remembered and restored by the driver. */
import { z } from 'zod';
import { counted, interfaces, type Model, whole } from '../contract/model.ts';

const load = () => import('./backup.ts');

export const routeros: Model = {
  name: 'routeros',
  label: 'MikroTik router or switch',
  elsewhere: ['mikrotik', 'mikrotik_routeros'],
  transports: ['ssh', 'http'],
  power: {
    outlets: counted('port', 'portCount', { prefix: 'ether' }),
    offSeconds: 5,
    nativeCycle: true,
    load: () => import('./outlets.ts'),
  },
  network: interfaces(
    'names such as ether1 or sfp-sfpplus1',
    /^(ether|sfp|sfp-sfpplus|qsfpplus|combo|wlan)\d{1,2}(-\d)?$/,
  ),
  connectedHosts: { load: () => import('./connected-hosts.ts') },
  backup: { load, needs: 'the policy sensitive', seenBy: 'the policies of its group' },
  reported: { model: /^# .* by RouterOS \d/m, firmware: /^# .* by RouterOS (\S+)/m },
  branches: { outlets: ['over HTTP: POST /rest/interface/ethernet/poe/monitor'] },
  // A group with the policies ssh, read and sensitive.
  readOnly: ['configuration', 'hosts'],
  options: {
    portCount: whole(1, 48).default(24).describe('Number of copper ports, starting with ether1.'),
    https: z.boolean().default(false).describe('Whether to access the REST API over HTTPS.'),
  },
};
