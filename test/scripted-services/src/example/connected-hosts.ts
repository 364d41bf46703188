/** The connected hosts of rack4: two cables are swapped, one machine is off, and one is unknown. */
import type { ConnectedHost, ConnectedHosts } from '@skolo/api';
import { ago } from '../ago.ts';

const macs = {
  'switch-1': 'f0:9f:c2:00:01:01',
  'switch-2': 'f0:9f:c2:00:02:01',
  'pdu-1': '00:c0:b7:00:03:01',
  jumphost: '94:c6:91:00:08:01',
  linux: '94:c6:91:00:50:01',
  rpi1: 'b8:27:eb:00:00:01',
  rpi2: 'b8:27:eb:00:00:02',
  rpi3: 'b8:27:eb:00:00:03',
  unknown: 'dc:a6:32:00:00:77',
  router: '80:2a:a8:00:00:01',
};

/** The MAC table of a switch, by port. */
function table(ports: Readonly<Record<string, readonly string[]>>): ConnectedHost[] {
  return Object.entries(ports).flatMap(([port, all]) =>
    all.map((mac) => ({ mac, port, vlan: '1', source: 'mac-table' as const })),
  );
}

function links(count: number, up: readonly string[]) {
  return Array.from({ length: count }, (_, at) => String(at + 1)).map((name) => ({
    name,
    up: up.includes(name),
  }));
}

function neighbour(address: string, mac: string, hostname?: string): ConnectedHost[] {
  const lease = { mac, address, hostname, source: 'lease' as const };
  return [{ mac, address, source: 'arp' }, ...(hostname === undefined ? [] : [lease])];
}

/** Undefined: it does not respond. */
export function connectedHostsOf(device: string): ConnectedHosts | undefined {
  const readAt = ago(0);
  switch (device) {
    case 'switch-1': {
      const { rpi1, rpi2, rpi3, unknown } = macs;
      const hosts = table({
        1: [rpi1],
        2: [rpi3],
        3: [rpi2],
        5: [unknown],
        8: [macs['pdu-1']],
        9: [macs.router, macs['switch-2'], macs.linux, macs.jumphost],
      });
      const ports = links(12, ['1', '2', '3', '5', '8', '9']);
      return { equipment: device, readAt, hosts, ports, own: [macs['switch-1']] };
    }
    case 'switch-2': {
      const { linux, jumphost, router, rpi1, rpi2, rpi3 } = macs;
      const hosts = table({ 3: [linux], 8: [jumphost], 9: [router, rpi1, rpi2, rpi3] });
      return {
        equipment: device,
        readAt,
        hosts,
        ports: links(12, ['3', '8', '9']),
        own: [macs['switch-2']],
        unread: [{ command: 'show mac-addr-table', lines: 1, first: '1  B8:27:EB:00:00:01  3/1' }],
      };
    }
    case 'router': {
      const hosts = [
        ...neighbour('192.168.1.8', macs.jumphost),
        ...neighbour('192.168.1.11', macs['switch-1']),
        ...neighbour('192.168.1.12', macs['switch-2']),
        ...neighbour('192.168.1.30', macs['pdu-1']),
        ...neighbour('192.168.1.50', macs.linux),
        ...neighbour('192.168.1.101', macs.rpi1),
        ...neighbour('192.168.1.102', macs.rpi2),
        ...neighbour('192.168.1.103', macs.rpi3),
        ...neighbour('192.168.1.217', macs.unknown, 'raspberrypi'),
      ];
      const ports = ['eth0', 'eth1', 'eth2'].map((name) => ({ name, up: true }));
      return { equipment: device, readAt, hosts, ports, own: [macs.router] };
    }
    default:
      return undefined;
  }
}
