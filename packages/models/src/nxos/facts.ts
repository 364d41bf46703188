/** Cisco Nexus (NX-OS): no PoE. */
import { interfaces, type Model } from '../contract/model.ts';

export const nxos: Model = {
  name: 'nxos',
  label: 'Cisco Nexus switch',
  elsewhere: ['cisco-nx', 'cisco_nxos'],
  transports: ['ssh'],
  network: interfaces('as in Eth1/1', /^(Eth\d{1,3}(\/\d{1,2}){1,2}|mgmt0)$/, {
    Ethernet: 'Eth',
  }),
  stations: { load: () => import('./stations.ts') },
  backup: { load: () => import('./backup.ts') },
  accounts: { load: () => import('./accounts.ts') },
  options: {},
};
