/** OpenWrt router or switch. Switches with the Realtek PoE daemon can turn ports off over ubus. */
import { counted, interfaces, type Model, whole } from '../contract/model.ts';
import { linuxHosts } from '../families/linux-facts.ts';

const load = () => import('./openwrt.ts');

export const openwrt: Model = {
  name: 'openwrt',
  label: 'OpenWrt router',
  transports: ['ssh'],
  power: {
    outlets: counted('port', 'portCount', { prefix: 'lan' }),
    offSeconds: 5,
    nativeCycle: false,
    load,
  },
  network: interfaces('names such as lan1', /^[A-Za-z][\w.@-]{0,14}$/),
  connectedHosts: { load },
  backup: { load, needs: 'the user root', seenBy: '`id -u`' },
  branches: { outlets: [], hosts: linuxHosts('cat /tmp/dhcp.leases') },
  options: {
    portCount: whole(1, 52).default(8).describe('Number of PoE ports, starting with lan1.'),
  },
};
