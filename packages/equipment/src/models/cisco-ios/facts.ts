/** Cisco IOS and IOS-XE switches, and the small-business series with the same commands. */
import { interfaces, type Model } from '../contract/model.ts';

const ports = interfaces(
  'names such as Gi1/0/1 or Te1/1/1',
  /^(Fa|Gi|Te|Twe?|Fi|Fo|Hu)\d{1,2}(\/\d{1,2}){0,2}$/,
  {
    FastEthernet: 'Fa',
    GigabitEthernet: 'Gi',
    TenGigabitEthernet: 'Te',
    TwoGigabitEthernet: 'Tw',
    TwentyFiveGigE: 'Twe',
    FiveGigabitEthernet: 'Fi',
    FortyGigabitEthernet: 'Fo',
    HundredGigE: 'Hu',
  },
);

const load = () => import('./backup.ts');

export const ciscoIos: Model = {
  name: 'cisco-ios',
  label: 'Cisco IOS switch',
  elsewhere: [
    'ios',
    'iosxe',
    'ciscosmb',
    'cisco',
    'cisco-sb',
    'ios-sb',
    'cisco_ios',
    'cisco_xe',
    'cisco_s300',
  ],
  transports: ['ssh', 'telnet'],
  power: { outlets: ports, offSeconds: 5, nativeCycle: false, load: () => import('./outlets.ts') },
  network: ports,
  connectedHosts: { load: () => import('./connected-hosts.ts') },
  backup: { load, needs: 'privilege level 15, no parser view', seenBy: '`show privilege`' },
  reported: {
    model: /^[Cc]isco (?!IOS\b|Nexus)(\S+) \(/m,
    firmware: /^Cisco IOS.*, Version ([^,\s]+)/m,
  },
  branches: { outlets: ['show running-config'] },
  options: {},
};
