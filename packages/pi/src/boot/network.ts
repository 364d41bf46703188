/** Wired address and Wi-Fi, for netplan (cloud-init) and for NetworkManager (Raspberry Pi OS without cloud-init). */

import { pbkdf2Sync } from 'node:crypto';
import type { TextFile } from '@skolo/computers';
import type { PiSetup } from '../setup.ts';

export type Wifi = Exclude<PiSetup['wifi'], 'off'>;

/** Interface names in Raspberry Pi OS and Ubuntu, and in Debian. One of them does not exist, and nothing waits for it. */
const wiredNames = ['eth0', 'end0'];

/** Network configuration version 2. Source: cloudinit.readthedocs.io, network-config-format-v2. */
export function netplanOf({ identity: { wired }, nameServers, domain, wifi }: PiSetup) {
  const names = {
    ...(nameServers.length > 0 && { addresses: nameServers }),
    ...(domain !== undefined && { search: [domain] }),
  };
  const common = {
    ...(Object.keys(names).length > 0 && { nameservers: names }),
    // Booting does not wait for a cable.
    optional: true,
  };
  // Two routes with the same metric conflict in netplan.
  const routes = (via: string, metric: number) => [{ to: '0.0.0.0/0', via, metric }];
  const wiredAs = (metric: number) =>
    wired === 'dhcp'
      ? { dhcp4: true, ...common }
      : {
          dhcp4: false,
          addresses: [`${wired.address}/${wired.prefix}`],
          ...(wired.gateway !== undefined && { routes: routes(wired.gateway, metric) }),
          ...common,
        };
  return {
    network: {
      version: 2,
      ethernets: Object.fromEntries(wiredNames.map((name, at) => [name, wiredAs(100 + at)])),
      ...(wifi !== 'off' && {
        wifis: {
          wlan0: {
            dhcp4: true,
            optional: true,
            'regulatory-domain': wifi.country,
            'access-points': { [wifi.ssid]: { password: wifiKey(wifi) } },
          },
        },
      }),
    },
  };
}

const connections = '/etc/NetworkManager/system-connections';

/** Source: networkmanager.dev, nm-settings-keyfile. */
export function networkManagerFiles(setup: PiSetup): TextFile[] {
  const { wifi } = setup;
  const wired = connectionFile('skolo-wired', wiredConnection(setup));
  return wifi === 'off' ? [wired] : [wired, wifiFile(wifi)];
}

export function wifiFile(wifi: Wifi): TextFile {
  return connectionFile('skolo-wifi', wifiConnection(wifi));
}

/** NetworkManager ignores it if others can read it. */
function connectionFile(name: string, content: string): TextFile {
  return { path: `${connections}/${name}.nmconnection`, content, mode: 0o600 };
}

function wiredConnection({ identity: { wired }, nameServers, domain }: PiSetup): string {
  const v4 = nameServers.filter((each) => !each.includes(':'));
  const v6 = nameServers.filter((each) => each.includes(':'));
  const address =
    wired === 'dhcp'
      ? ['method=auto']
      : [
          'method=manual',
          `address1=${[`${wired.address}/${wired.prefix}`, wired.gateway].filter(Boolean).join(',')}`,
        ];
  return `[connection]
id=skolo-wired
type=ethernet
autoconnect-priority=10

[ipv4]
${[
  ...address,
  ...(v4.length > 0 ? [`dns=${v4.join(';')};`] : []),
  ...(domain === undefined ? [] : [`dns-search=${domain};`]),
].join('\n')}

[ipv6]
${['method=auto', ...(v6.length > 0 ? [`dns=${v6.join(';')};`] : [])].join('\n')}
`;
}

/** The name as bytes, because text would require escapes. */
function wifiConnection(wifi: Wifi): string {
  return `[connection]
id=skolo-wifi
type=wifi

[wifi]
mode=infrastructure
ssid=${[...Buffer.from(wifi.ssid)].map((byte) => `${byte};`).join('')}

[wifi-security]
key-mgmt=wpa-psk
psk=${wifiKey(wifi)}

[ipv4]
method=auto

[ipv6]
method=auto
`;
}

/** The WPA2 key, which does not reveal the password. Source: IEEE 802.11-2020, J.4. */
export function wifiKey({ ssid, password }: Wifi): string {
  return pbkdf2Sync(password.reveal(), ssid, 4096, 32, 'sha1').toString('hex');
}
