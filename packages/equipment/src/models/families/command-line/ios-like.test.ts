import { describe, expect, it } from 'vitest';
import { rowsIn } from './connected-hosts.ts';
import { iosLinks, iosMacRow } from './ios-like.ts';

const none = { hosts: [], ports: [], own: [] };

describe('a row of the MAC table', () => {
  const mac = 'b827.eb00.0001';
  it.each([
    [`  10    ${mac}    DYNAMIC     Gi1/0/1`, '10', 'Gi1/0/1'],
    [` * R   51 ${mac}   static   No       -      Router`, '51', 'Router'],
    [`   R   N/A  ${mac}  static   No       -      Router`, 'N/A', 'Router'],
    [` *      728 ${mac}  static  Yes       -    `, '728', undefined],
    [`  48      ${mac}    static ip,ipx,assigned,other Switch`, '48', 'Switch'],
    [`Gi1/48    ${mac}   system Gi1/48,Switch`, 'Gi1/48', 'Gi1/48,Switch'],
    [`${mac}       Dynamic          1  FastEthernet0/1`, undefined, 'FastEthernet0/1'],
    [`G    100      ${mac}     static     -        F      F    sup-eth1(R)`, '100', 'sup-eth1(R)'],
    [`+    10     ${mac}   dynamic  0         F      F    vPC Peer-Link`, '10', 'Peer-Link'],
  ])('%j', (line, vlan, port) => {
    const table = { command: 'show', header: /^/, row: iosMacRow };

    expect(rowsIn('switch-1', table, line, /./, none).map(({ groups }) => groups)).toEqual([
      { vlan, mac, port },
    ]);
  });
});

describe('a row of the links', () => {
  it.each([
    [
      'Gi1/0/1   server down        connected    10         a-full a-1000 10/100/1000BaseTX',
      'connected',
    ],
    [
      'Gi1/0/2   is connected full  notconnect   1            auto   auto Not Present',
      'notconnect',
    ],
    ['Po3       a   notconnect   unassigned   auto   auto ', 'notconnect'],
    [
      'Twe1/0/4  * a *              connected    123,1234   a-full a-1000 10/100/1000BaseTX SFP',
      'connected',
    ],
    ['Eth1/9    --                 channelDo 1         full    10G     Fabric Exte', 'channelDo'],
    ['Eth1/35   --                 sfpAbsent 1         full    10G     --', 'sfpAbsent'],
    ['Et49 Core: a.b notconnect in Po49 full 10G Not Present', 'notconnect'],
    [
      'Et50                         errdisabled  10         a-half  a-2.5G 40GBASE-SR',
      'errdisabled',
    ],
    ['Tunnel40  Test               down      admin down         Administratively down', 'down'],
  ])('%j', (line, link) => {
    const text = `Port      Name    Status\n${line}`;

    const rows = rowsIn('switch-1', iosLinks('show'), text, /\d/, none);

    expect(rows.map(({ groups }) => groups.link)).toEqual([link]);
  });
});
