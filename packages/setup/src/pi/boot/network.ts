/** Wired address and Wi-Fi, for netplan (cloud-init) and for NetworkManager (Raspberry Pi OS without cloud-init). */

import { pbkdf2Sync } from 'node:crypto';
import type { TextFile } from '@skolo/setup/engine';
import type { PiSetup } from '../setup.ts';
import type { Method } from './customization.ts';

export type Wifi = Exclude<PiSetup['wifi'], 'off'>;

/**
 * Kernel drivers of the built-in ports of Raspberry Pis: of the 4, the 5, and those on USB. A phone that tethers has another driver
 * (rndis_host, cdc_ether, cdc_ncm, ipheth), but it may get any name; on a Pi 3, it may be eth0. Another adapter is known by the MAC address
 * in rack.yaml.
 */
export const builtInDrivers = ['bcmgenet', 'macb', 'smsc95xx', 'lan78xx'];
/** Below NetworkManager's default of 100 for a phone. */
const metric = 50;

/**
 * Network configuration version 2. Source: cloudinit.readthedocs.io, network-config-format-v2; netplan.readthedocs.io. netplan cannot
 * match drivers for NetworkManager itself, and rejects such files.
 */
export function netplanOf(
  { identity: { wired, mac }, nameServers, domain, wifi }: PiSetup,
  method: Method,
) {
  const names = {
    ...(nameServers.length > 0 && { addresses: nameServers }),
    ...(domain !== undefined && { search: [domain] }),
  };
  const common = {
    ...(Object.keys(names).length > 0 && { nameservers: names }),
    // Booting does not wait for a cable.
    optional: true,
    ...(method !== 'cloud-init-networkd' && { renderer: 'NetworkManager' }),
  };
  const routes = (via: string, metric: number) => [{ to: '0.0.0.0/0', via, metric }];
  // Two routes with the same metric conflict in netplan.
  const wiredAs = (metric: number) =>
    wired === 'dhcp'
      ? { dhcp4: true, 'dhcp4-overrides': { 'route-metric': metric }, ...common }
      : {
          dhcp4: false,
          addresses: [`${wired.address}/${wired.prefix}`],
          ...(wired.gateway !== undefined && { routes: routes(wired.gateway, metric) }),
          ...common,
        };
  const passthrough = { 'match.driver': list(builtInDrivers) };
  const builtIn =
    method === 'cloud-init-networkd'
      ? { match: { driver: builtInDrivers } }
      : { match: {}, networkmanager: { passthrough } };
  return {
    network: {
      version: 2,
      ethernets: {
        'built-in': { ...builtIn, ...wiredAs(metric) },
        ...(mac !== undefined && {
          'by-mac': { match: { macaddress: mac }, ...wiredAs(metric + 1) },
        }),
      },
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
  const { wifi, identity } = setup;
  const wired = (name: string, match: string) =>
    connectionFile(name, `[connection]\nid=${name}\n${wiredConnection(setup)}\n${match}\n`);
  return [
    wired('skolo-wired', `[match]\ndriver=${list(builtInDrivers)}`),
    ...(identity.mac === undefined
      ? []
      : [wired('skolo-wired-mac', `[ethernet]\nmac-address=${identity.mac}`)]),
    ...(wifi === 'off' ? [] : [wifiFile(wifi)]),
  ];
}

export function wifiFile(wifi: Wifi): TextFile {
  return connectionFile('skolo-wifi', wifiConnection(wifi));
}

function list(values: readonly string[]): string {
  return values.map((each) => `${each};`).join('');
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
  return `type=ethernet
autoconnect-priority=10

[ipv4]
${[
  ...address,
  `route-metric=${metric}`,
  ...(v4.length > 0 ? [`dns=${list(v4)}`] : []),
  ...(domain === undefined ? [] : [`dns-search=${domain};`]),
].join('\n')}

[ipv6]
${['method=auto', `route-metric=${metric}`, ...(v6.length > 0 ? [`dns=${list(v6)}`] : [])].join('\n')}
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
