/** What Linux tells of its ports and neighbours: iproute2's `ip` and `bridge`, `/proc/net/arp`, leases of dnsmasq. */
import type { Plugged } from '../../wiring.ts';
import { leases, neighbours } from '../models/host-tables.ts';
import type { Output, Program } from './box.ts';
import type { MadeFile } from './shell-files.ts';

/** `ip -o link show`; a `bridge` that all ports are in, where there is one, and its `bridge fdb show`. */
export function linuxPrograms(plugged: Plugged, bridge?: string): Record<string, Program> {
  return {
    ip: ({ args }) =>
      args.join(' ') === '-o link show' ? { stdout: links(plugged, bridge) } : unknown('ip'),
    ...(bridge !== undefined && {
      bridge: ({ args }) =>
        args.join(' ') === 'fdb show' ? { stdout: fdb(plugged, bridge) } : unknown('bridge'),
    }),
  };
}

function unknown(program: string): Output {
  return { stderr: `${program}: what is asked for is not simulated\n`, status: 1 };
}

function links(plugged: Plugged, bridge: string | undefined): string {
  const link = (name: string, isUp: boolean, about: string) =>
    `${name}: <BROADCAST,MULTICAST,UP${isUp ? ',LOWER_UP' : ''}> mtu 1500 ${about}state ${isUp ? 'UP' : 'DOWN'} mode DEFAULT group default qlen 1000\\    link/ether ${plugged.own} brd ff:ff:ff:ff:ff:ff`;
  const ports = plugged.links().map(({ port, isUp }) => {
    return link(port, isUp, `qdisc noqueue ${bridge === undefined ? '' : `master ${bridge} `}`);
  });
  const all = [
    'lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN mode DEFAULT group default qlen 1000\\    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00',
    ...ports,
    ...(bridge === undefined ? [] : [link(bridge, true, 'qdisc noqueue ')]),
  ];
  return all.map((line, index) => `${index + 1}: ${line}\n`).join('');
}

function fdb(plugged: Plugged, bridge: string): string {
  return [
    `33:33:00:00:00:01 dev ${bridge} self permanent`,
    `${plugged.own} dev ${bridge} vlan 1 master ${bridge} permanent`,
    ...plugged.hosts().map(({ mac, port }) => `${mac} dev ${port} master ${bridge} `),
    ...plugged.hosts().map(({ mac, port }) => `${mac} dev ${port} vlan 1 self`),
    '',
  ].join('\n');
}

/** `/proc/net/arp`, and leases as dnsmasq keeps them. `interfaceOf` names where a neighbour is. */
export function linuxFiles(
  plugged: Plugged,
  interfaceOf: (port: string) => string = (port) => port,
): { arp: MadeFile; leases: MadeFile } {
  const row = (address: string, flags: string, mac: string, name: string) =>
    `${address.padEnd(16)} 0x1         ${flags}         ${mac}     *        ${name}\n`;
  return {
    arp: {
      read: () =>
        [
          'IP address       HW type     Flags       HW address            Mask     Device\n',
          row('192.168.1.99', '0x0', '00:00:00:00:00:00', 'eth1'),
          ...neighbours(plugged).map(({ address, mac, port }) =>
            row(address, '0x2', mac, interfaceOf(port)),
          ),
        ].join(''),
    },
    leases: {
      read: () =>
        leases(plugged)
          .map(
            ({ mac, address, hostname }) => `1795255200 ${mac} ${address} ${hostname || '*'} *\n`,
          )
          .join(''),
    },
  };
}
