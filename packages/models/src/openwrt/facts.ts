/** OpenWrt router or switch. Switches with the Realtek PoE daemon can turn ports off over ubus. */
import { counted, interfaces, type Model, whole } from '../contract/model.ts';

export const openwrt: Model = {
  name: 'openwrt',
  label: 'OpenWrt device',
  transports: ['ssh'],
  power: {
    outlets: counted('port', 'portCount', { prefix: 'lan' }),
    offSeconds: 5,
    nativeCycle: false,
    load: () => import('./outlets.ts'),
  },
  network: interfaces('an interface, say lan1', /^[A-Za-z][\w.@-]{0,14}$/),
  stations: { load: () => import('./stations.ts') },
  backup: { load: () => import('./backup.ts') },
  accounts: { load: () => import('./accounts.ts') },
  options: { portCount: whole(1, 52).default(8).describe('Number of its PoE ports, from lan1.') },
};
