/**
 * MAC tables, links and ARP tables as command lines print them.
 *
 * Fastpath's MAC table, that of `swctrl`, the forms of ProCurve and of Junos with and without ELS, and `show dhcp leases`
 * of EdgeOS are as in sessions that users recorded; `print terse` as scripts of users read it; Cisco's and Arista's as in their
 * command references. Headings of `swctrl port show` and widths of Fastpath's `show port all` are made up.
 *
 * No recording: what is printed follows the machines that a test has behind the ports.
 */
import type { Plugged } from '../../wiring.ts';
import type { Run } from '../switch/model.ts';

/** A command that prints a table. */
export function prints(table: (plugged: Plugged) => string): Run {
  return ({ device }) => table(device.core.plugged);
}

function lines(...all: (string | readonly string[])[]): string {
  return `${all.flat().join('\n')}\n`;
}

/** `b827.eb00.0001` */
function dotted(mac: string): string {
  return mac.replaceAll(':', '').replace(/(.{4})(.{4})(.{4})/, '$1.$2.$3');
}

const ruler = '-'.repeat(43);

/** `show mac address-table` of IOS. */
export function iosMacTable(plugged: Plugged): string {
  const all = plugged.hosts();
  return lines(
    ['          Mac Address Table', ruler, ''],
    ['Vlan    Mac Address       Type        Ports', '----    -----------       --------    -----'],
    ' All    0100.0ccc.cccc    STATIC      CPU',
    all.map(
      ({ mac, port, vlan = 1 }) =>
        `${String(vlan).padStart(4)}    ${dotted(mac)}    DYNAMIC     ${port}`,
    ),
    `Total Mac Addresses for this criterion: ${all.length + 1}`,
  );
}

/** `show interfaces status` of IOS and EOS. */
export function iosLinks(plugged: Plugged): string {
  return lines(
    '',
    'Port      Name               Status       Vlan       Duplex  Speed Type',
    plugged
      .links()
      .map(
        ({ port, isUp }) =>
          `${port.padEnd(9)} to a phone         ${(isUp ? 'connected' : 'notconnect').padEnd(12)} 10         a-full a-1000 10/100/1000BaseTX`,
      ),
  );
}

/** `show ip arp` of IOS. */
export function iosArp(plugged: Plugged): string {
  return lines(
    'Protocol  Address          Age (min)  Hardware Addr   Type   Interface',
    `Internet  192.168.1.2             -   ${dotted(plugged.own)}  ARPA   Vlan1`,
    'Internet  192.168.1.9             0   Incomplete      ARPA',
    neighbours(plugged).map(
      ({ address, mac }) =>
        `Internet  ${address.padEnd(15)}         5   ${dotted(mac)}  ARPA   Vlan1`,
    ),
  );
}

/** `show mac address-table` of EOS. */
export function eosMacTable(plugged: Plugged): string {
  const all = plugged.hosts();
  const title = [
    'Vlan    Mac Address       Type        Ports',
    '----    -----------       ----        -----',
  ];
  return lines(
    ['          Mac Address Table', '-'.repeat(66), ''],
    [`${title[0]}      Moves   Last Move`, `${title[1]}      -----   ---------`],
    all.map(
      ({ mac, port, vlan = 1 }) =>
        `${String(vlan).padStart(4)}    ${dotted(mac)}    DYNAMIC     ${port.padEnd(10)} 1       0:01:02 ago`,
    ),
    [`Total Mac Addresses for this criterion: ${all.length}`, ''],
    ['          Multicast Mac Address Table', '-'.repeat(66), '', ...title],
    'Total Mac Addresses for this criterion: 0',
  );
}

/** `show ip arp` of EOS. */
export function eosArp(plugged: Plugged): string {
  return lines(
    'Address         Age (sec)  Hardware Addr   Interface',
    neighbours(plugged).map(
      ({ address, mac, port }) =>
        `${address.padEnd(15)}   0:00:12  ${dotted(mac)}  Vlan10, ${port}`,
    ),
  );
}

/** `show mac address-table` of NX-OS. */
export function nxosMacTable(plugged: Plugged): string {
  return lines(
    'Legend: ',
    '        * - primary entry, G - Gateway MAC, (R) - Routed MAC, O - Overlay MAC',
    '        age - seconds since last seen,+ - primary entry using vPC Peer-Link,',
    '        (T) - True, (F) - False, C - ControlPlane MAC, ~ - vsan',
    '   VLAN     MAC Address      Type      age     Secure NTFY Ports',
    '---------+-----------------+--------+---------+------+----+------------------',
    plugged
      .hosts()
      .map(
        ({ mac, port, vlan = 1 }) =>
          `* ${String(vlan).padStart(4)}     ${dotted(mac)}   dynamic  0         F      F    ${port}`,
      ),
    `G    -     ${dotted(plugged.own)}   static   -         F      F    sup-eth1(R)`,
  );
}

/** `show interface status` of NX-OS. */
export function nxosLinks(plugged: Plugged): string {
  const rule = '-'.repeat(80);
  return lines(
    ['', rule, 'Port          Name               Status    Vlan      Duplex  Speed   Type', rule],
    plugged
      .links()
      .map(
        ({ port, isUp }) =>
          `${port.padEnd(13)} to a phone         ${(isUp ? 'connected' : 'notconnec').padEnd(9)} 10        full    1000    1000base-T`,
      ),
  );
}

/** `show ip arp` of NX-OS. */
export function nxosArp(plugged: Plugged): string {
  const all = neighbours(plugged);
  return lines(
    ['', 'Flags: * - Adjacencies learnt on non-active FHRP router', ''],
    ['IP ARP Table for context default', `Total number of entries: ${all.length}`],
    'Address         Age       MAC Address     Interface       Flags',
    all.map(({ address, mac }) => `${address.padEnd(15)} 00:05:11  ${dotted(mac)}  Vlan10`),
  );
}

/** `show ethernet-switching table` of Junos with ELS. */
export function junosMacTable(plugged: Plugged): string {
  const all = plugged.hosts();
  return lines(
    ['', 'MAC flags (S - static MAC, D - dynamic MAC, L - locally learned, P - Persistent static'],
    '           SE - statistics enabled, NM - non configured MAC, R - remote PE MAC, O - ovsdb MAC)',
    ['', '', `Ethernet switching table : ${all.length} entries, ${all.length} learned`],
    'Routing instance : default-switch',
    '    Vlan                MAC                 MAC         Age    Logical                NH        RTR ',
    '    name                address             flags              interface              Index     ID',
    all.map(
      ({ mac, port }) =>
        `    ${'phones'.padEnd(19)} ${mac}   D             -   ${`${port}.0`.padEnd(22)} 0         0       `,
    ),
  );
}

/** `show ethernet-switching table` of Junos before ELS. */
export function junosOldMacTable(plugged: Plugged): string {
  const all = plugged.hosts();
  const row = (mac: string, type: string, age: string, name: string) =>
    `  phones            ${mac.padEnd(17)} ${type.padEnd(12)} ${age.padStart(4)} ${name}`;
  return lines(
    `Ethernet-switching table: ${all.length + 2} entries, ${all.length} learned`,
    '  VLAN\t            MAC address       Type         Age Interfaces',
    row('*', 'Flood', '-', 'All-members'),
    row(plugged.own, 'Static', '-', 'Router'),
    all.map(({ mac, port }) => row(mac, 'Learn', '0', `${port}.0`)),
  );
}

/** `show interfaces terse` of Junos. */
export function junosLinks(plugged: Plugged): string {
  return lines(
    'Interface               Admin Link Proto    Local                 Remote',
    plugged.links().flatMap(({ port, isUp }) => {
      const link = isUp ? 'up' : 'down';
      return [
        `${port.padEnd(23)} up    ${link}`,
        `${`${port}.0`.padEnd(23)} up    ${link.padEnd(4)} eth-switch`,
      ];
    }),
    'irb.10                  up    up   inet     10.10.0.4/24    ',
  );
}

/** `show arp no-resolve` of Junos. */
export function junosArp(plugged: Plugged): string {
  const all = neighbours(plugged);
  return lines(
    'MAC Address       Address         Interface                Flags',
    all.map(
      ({ address, mac, port }) => `${mac} ${address.padEnd(15)} irb.10 [${port}.0]      none`,
    ),
    `Total entries: ${all.length}`,
  );
}

/** `show mac-address` of ProCurve. */
export function procurveMacTable(plugged: Plugged): string {
  return lines(
    ['', ' Status and Counters - Port Address Table', ''],
    ['  MAC Address   Port   VLAN', '  ------------- ------ ----'],
    plugged
      .hosts()
      .map(
        ({ mac, port, vlan = 1 }) =>
          `  ${mac.replaceAll(':', '').replace(/^.{6}/, '$&-')} ${port.padEnd(6)} ${vlan}`,
      ),
    '',
  );
}

/** `show interfaces brief` of ProCurve. */
export function procurveLinks(plugged: Plugged): string {
  return lines(
    ['', ' Status and Counters - Port Status', ''],
    '                          | Intrusion                           MDI  Flow Bcast',
    '  Port         Type       | Alert     Enabled Status Mode       Mode Ctrl Limit',
    '  ------------ ---------- + --------- ------- ------ ---------- ---- ---- -----',
    plugged
      .links()
      .map(
        ({ port, isUp }) =>
          `  ${port.padEnd(12)} 100/1000T  | No        Yes     ${isUp ? 'Up    ' : 'Down  '} 1000FDx    MDIX off  0`,
      ),
    '',
  );
}

/** `show mac-addr-table` of Fastpath, whose ports are `0/3`. */
export function fastpathMacTable(plugged: Plugged): string {
  const row = (vlan: number, mac: string, port: string, index: number, status: string) =>
    `${String(vlan).padEnd(7)}  ${mac.toUpperCase()}   ${port.padEnd(21)}  ${String(index).padEnd(7)}  ${status}`;
  return lines(
    '',
    'VLAN ID  MAC Address         Interface              IfIndex  Status',
    '-------  ------------------  ---------------------  -------  ------------',
    plugged.hosts().map(({ mac, port, vlan = 1 }) => {
      const index = Number(port.split('/').at(-1));
      return row(vlan, mac, port.includes('/') ? port : `0/${port}`, index, 'Learned');
    }),
    row(1, plugged.own, '5/1', 65, 'Management'),
  );
}

/** `show port all` of Fastpath. */
export function fastpathLinks(plugged: Plugged): string {
  return lines(
    '',
    '                 Admin     Physical   Physical   Link   Link    LACP   Actor',
    'Intf      Type   Mode      Mode       Status     Status Trap    Mode   Timeout',
    '--------- ------ --------- ---------- ---------- ------ ------- ------ --------',
    plugged.links().map(({ port, isUp }) => {
      const status = isUp ? '1000 Full  Up    ' : '           Down  ';
      return `${(port.includes('/') ? port : `0/${port}`).padEnd(9)}        Enable    Auto       ${status} Enable  Enable long`;
    }),
  );
}

/** `swctrl mac show` of UniFi. */
export function swctrlMacTable(plugged: Plugged): string {
  return lines(
    'port vlan mac-address       ip-address      hostname         uptime age wireless-type',
    '---- ---- ----------------- --------------- ---------------- ------ --- -------------',
    plugged
      .hosts()
      .map(
        ({ mac, port, vlan = 1, address = '', hostname = '' }) =>
          `${port.padStart(4)} ${String(vlan).padStart(4)} ${mac} ${address.padEnd(15)} ${hostname.padEnd(16)}    403  12 `,
      ),
  );
}

/** `swctrl port show` of UniFi: who is behind its uplink is marked. */
export function swctrlLinks(plugged: Plugged): string {
  return lines(
    '   Port  Link      Rate    TxPkts   RxPkts     TxBytes    RxBytes State',
    '   ----  ----  -------- --------- -------- ----------- ---------- -----',
    plugged
      .links()
      .map(
        ({ port, isUp }, index) =>
          `${index === 0 ? '@U ' : '   '}${port.padStart(4)}  U/${isUp ? 'U' : 'D'}  ${isUp ? '  1000F' : '     0H'}  20968403 11765150 18771366798 5679214362 forwarding force auth authorized 0x0`,
      ),
  );
}

/** What RouterOS prints of its bridges, links, neighbours and leases, `print terse`; undefined: another command. */
export function routerosTable(plugged: Plugged, command: string): string | undefined {
  const all = plugged.hosts();
  const upper = (mac: string) => mac.toUpperCase();
  switch (
    command
      .replace(/^\//, '')
      .replace(/ where .*$/, '')
      .replaceAll('/', ' ')
  ) {
    case 'interface bridge host print terse':
      return lines(
        all.map(
          ({ mac, port, vlan }, index) =>
            ` ${index} D  mac-address=${upper(mac)}${vlan === undefined ? '' : ` vid=${vlan}`} on-interface=${port} bridge=bridge1`,
        ),
        ` ${all.length} DL mac-address=${upper(plugged.own)} on-interface=bridge1 bridge=bridge1`,
      );
    case 'interface print terse':
      return lines(
        plugged
          .links()
          .map(
            ({ port, isUp }, index) =>
              ` ${index} ${isUp ? 'RS' : ' S'} name=${port} default-name=${port} type=ether mtu=1500 mac-address=${upper(plugged.own)} last-link-up-time=2026-11-20 10:00:00 link-downs=0`,
          ),
        ' 99 R  comment=all ports name=bridge1 type=bridge mtu=auto',
      );
    case 'ip arp print terse':
      return lines(
        neighbours(plugged).map(
          ({ mac, address }, index) =>
            ` ${index} DC address=${address} mac-address=${upper(mac)} interface=bridge1 published=no status=reachable`,
        ),
        ' 9 D  address=192.168.1.99 interface=bridge1 published=no status=failed',
      );
    case 'ip dhcp-server lease print terse':
      return lines(
        leases(plugged).map(
          ({ mac, address, hostname }, index) =>
            ` ${index} D  address=${address} mac-address=${upper(mac)} server=lan status=bound expires-after=8m10s active-address=${address} host-name=${hostname}`,
        ),
      );
    default:
      return undefined;
  }
}

/** `show dhcp leases` of EdgeOS. */
export function edgeosLeases(plugged: Plugged): string {
  return lines(
    'IP address      Hardware Address   Lease expiration     Pool       Client Name',
    '----------      ----------------   ----------------     ----       -----------',
    leases(plugged).map(
      ({ mac, address, hostname }) =>
        `${address.padEnd(15)} ${mac}  2026/11/21 10:03:30  LAN        ${hostname || '?'}`,
    ),
  );
}

/** `show dhcp server leases` of VyOS. */
export function vyosLeases(plugged: Plugged): string {
  const rule = [15, 17, 7, 19, 19, 10, 6, 16, 6].map((width) => '-'.repeat(width)).join('  ');
  return lines(
    'IP Address       MAC address        State    Lease start          Lease expiration     Remaining   Pool    Hostname          Origin',
    rule,
    leases(plugged).map(
      ({ mac, address, hostname }) =>
        `${address.padEnd(15)}  ${mac}  active   2026/11/20 10:03:30  2026/11/21 10:03:30  23:59:01    LAN     ${hostname.padEnd(16)}  local`,
    ),
  );
}

/** Those of whom it knows the address. */
export function neighbours(plugged: Plugged) {
  return plugged
    .hosts()
    .flatMap(({ address, ...rest }) => (address === undefined ? [] : [{ ...rest, address }]));
}

export function leases(plugged: Plugged) {
  return neighbours(plugged).flatMap(({ hostname, ...rest }) =>
    hostname === undefined ? [] : [{ ...rest, hostname }],
  );
}
