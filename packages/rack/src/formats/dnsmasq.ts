/** dnsmasq (OpenWrt, Pi-hole, EdgeOS with dnsmasq): DNS for all names, DHCP for entries with a MAC. */
import type { Rack } from '../rack/rack.ts';
import { hostsOf, namesOf } from './hosts.ts';

/** For a file in /etc/dnsmasq.d. Source: dnsmasq(8), --host-record, --dhcp-host, --local. */
export function dnsmasqConfig(rack: Rack): string {
  const { domain } = rack.network;
  const hosts = hostsOf(rack);
  const records = hosts.map(
    (host) => `host-record=${[...namesOf(host, domain), host.address].join(',')}`,
  );
  const leases = hosts.flatMap(({ mac, address, name }) => {
    if (mac === undefined) return [];
    return `dhcp-host=${mac},${address.includes(':') ? `[${address}]` : address},${name}`;
  });
  return [
    `# Names in ${rack.name}. Generated from rack.yaml by skolo.`,
    `local=/${domain}/`,
    '# Must not resolve, otherwise the Swarming bot would assume that it runs on GCE.',
    'local=/metadata.google.internal/',
    ...records,
    ...(leases.length > 0 ? ['# Addresses by MAC.', ...leases] : []),
    '',
  ].join('\n');
}
