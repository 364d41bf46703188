/** Short excerpts of what real switches answered, from LibreNMS' `tests/snmpsim` and `etingof/snmpsim-data`: ports, links and MAC tables. */
import { readSnmprec, startSnmpRecording } from '@skolo/simulators';
import { expect, it, onTestFinished } from 'vitest';
import type { ConnectedHosts } from '../contract/connected-hosts.ts';
import { patient } from '../testing/outlets.ts';
import { driverAt, logins, readHosts } from '../testing/snmp.ts';
import { outlets } from './snmp-poe.ts';

/** Columns of IF-MIB and its extension, by ifIndex: ifDescr, ifType, ifOperStatus, and ifName and ifConnectorPresent if it has them. */
type Interfaces = Record<
  string,
  [descr: string, type: number, up: number, name?: string, connector?: number]
>;

function recording(interfaces: Interfaces, more = ''): string {
  const rows = Object.entries(interfaces).flatMap(([index, [descr, type, up, name, connector]]) => [
    `1.3.6.1.2.1.2.2.1.2.${index}|4|${descr}`,
    `1.3.6.1.2.1.2.2.1.3.${index}|2|${type}`,
    `1.3.6.1.2.1.2.2.1.8.${index}|2|${up}`,
    ...(name === undefined ? [] : [`1.3.6.1.2.1.31.1.1.1.1.${index}|4|${name}`]),
    ...(connector === undefined ? [] : [`1.3.6.1.2.1.31.1.1.1.17.${index}|2|${connector}`]),
  ]);
  return [...rows, ...more.trim().split('\n')].join('\n');
}

async function read(text: string, options: Record<string, unknown> = {}) {
  const device = await startSnmpRecording(readSnmprec(text));
  onTestFinished(() => device.close());
  const seen = await readHosts(device, { portCount: 52, ...options });
  return { seen, driver: driverAt({ kind: outlets }, device, logins.v2c) };
}

function links({ ports }: ConnectedHosts): string[] {
  return ports.map(({ name, up }) => `${name} ${up ? 'up' : 'down'}`);
}

/** TP-Link JetStream: its VLANs and LAGs are Ethernet, too, and come first. It has no ifName. */
const jetstream = recording(
  {
    10: ['Vlan-interface10', 6, 1],
    32769: ['port-channel 1', 6, 1],
    32770: ['port-channel 2', 6, 1],
    49153: ['gigabitEthernet 1/0/1 : copper', 6, 1],
    49154: ['gigabitEthernet 1/0/2 : copper', 6, 2],
    49155: ['gigabitEthernet 1/0/3 : copper', 6, 2],
    49162: ['gigabitEthernet 1/0/10 : copper', 6, 2],
    49203: ['gigabitEthernet 1/0/51 : fiber', 6, 1],
    49204: ['gigabitEthernet 1/0/52 : fiber', 6, 1],
  },
  '1.3.6.1.2.1.17.1.1.0|4|b0:be:76:3b:5d:e1',
);

/** Zyxel XMG1915-10EP: its names count from 0, and its recording has no dot1qTpFdbStatus. */
const zyxel = recording(
  {
    1: ['swp00', 6, 2, 'swp00', 1],
    2: ['swp01', 6, 1, 'swp01', 1],
    6: ['swp05', 6, 1, 'swp05', 1],
    9: ['swp08', 6, 1, 'swp08', 1],
    10: ['swp09', 6, 2, 'swp09', 2],
    20000: ['enif0', 6, 1],
    20002: ['swif2', 6, 1],
  },
  `
1.3.6.1.2.1.17.1.4.1.2.1|2|1
1.3.6.1.2.1.17.1.4.1.2.2|2|2
1.3.6.1.2.1.17.1.4.1.2.6|2|6
1.3.6.1.2.1.17.1.4.1.2.9|2|9
1.3.6.1.2.1.17.7.1.2.2.1.2.1.44.207.103.42.20.236|2|2
1.3.6.1.2.1.17.7.1.2.2.1.2.1.48.87.20.209.74.255|2|9
1.3.6.1.2.1.17.7.1.2.2.1.2.1.192.146.150.64.19.237|2|6
1.3.6.1.2.1.17.7.1.2.2.1.2.1.244.77.92.123.135.48|2|0
1.3.6.1.2.1.105.1.3.1.1.2.1|66|130
`,
);

/** Cisco SFE2000: e1 to e24, then g1 to g4 and LAGs. */
const sfe2000 = recording({
  1: ['Ethernet Interface', 6, 2, 'e1', 1],
  2: ['Ethernet Interface', 6, 1, 'e2', 1],
  3: ['Ethernet Interface', 6, 2, 'e3', 1],
  49: ['Ethernet Interface', 6, 1, 'g1', 1],
  50: ['Ethernet Interface', 6, 1, 'g2', 1],
  1000: ['Ethernet Interface', 6, 6, 'ch1', 2],
  1001: ['Ethernet Interface', 6, 6, 'ch2', 2],
  100000: ['vlan', 53, 1],
});

/** D-Link DES-3200-18: numbers of the model and the firmware are in front of that of the port. */
const dlink = recording({
  1: ['D-Link DES-3200-18 R4.04.004 Port 1 ', 6, 2],
  2: ['D-Link DES-3200-18 R4.04.004 Port 2 ', 6, 1],
  17: ['D-Link DES-3200-18 R4.04.004 Port 17 ', 117, 1],
  1024: ['802.1Q Encapsulation Tag 0001', 135, 1],
});

/** Metel 2G-2S.0.2.F-BOX-PoE: two copper ports, two for fibre, and one for management. */
const metel = recording({
  1: ['P1', 6, 1, 'P1', 1],
  2: ['P2', 6, 2, 'P2', 1],
  3: ['G1', 6, 1, 'G1', 1],
  4: ['G2', 6, 2, 'G2', 1],
  10000: ['MGMT', 6, 1, 'MGMT', 2],
});

/** Allied Telesis AT-GS950/24. Its LAGs have an ifName, but no ifDescr. */
const webSmart = recording(
  {
    1: ['Ethernet Interface', 6, 1, 'Slot0/1', 1],
    4: ['Ethernet Interface', 6, 2, 'Slot0/4', 1],
    7: ['Ethernet Interface', 6, 1, 'Slot0/7', 1],
    24: ['Ethernet Interface', 6, 2, 'Slot0/24', 1],
  },
  `
1.3.6.1.2.1.17.1.1.0|4x|ECCD6D2A6BF6
1.3.6.1.2.1.17.1.4.1.2.1|2|1
1.3.6.1.2.1.17.1.4.1.2.7|2|7
1.3.6.1.2.1.17.1.4.1.2.25|2|25
1.3.6.1.2.1.17.7.1.2.2.1.2.1.0.0.205.29.177.28|2|7
1.3.6.1.2.1.17.7.1.2.2.1.2.1.0.144.11.42.17.173|2|1
1.3.6.1.2.1.31.1.1.1.1.25|4|po1
1.3.6.1.2.1.31.1.1.1.17.25|2|2
`,
);

/** Advantech EKI-7428G-4C: it has the table without VLANs, and says that its LAGs have a connector. */
const advantech = recording(
  {
    2: ['GigabitEthernet2', 6, 1, 'GigabitEthernet2', 1],
    16: ['GigabitEthernet16', 6, 1, 'GigabitEthernet16', 1],
    27: ['GigabitEthernet27', 6, 2, 'GigabitEthernet27', 1],
    28: ['GigabitEthernet28', 6, 1, 'GigabitEthernet28', 1],
    1000: ['LAG1', 161, 6, 'LAG1', 1],
  },
  `
1.3.6.1.2.1.17.1.4.1.2.2|2|2
1.3.6.1.2.1.17.1.4.1.2.16|2|16
1.3.6.1.2.1.17.1.4.1.2.28|2|28
1.3.6.1.2.1.17.1.4.1.2.1000|2|1000
1.3.6.1.2.1.17.4.3.1.2.0.12.41.10.60.227|2|28
1.3.6.1.2.1.17.4.3.1.2.20.73.188.30.6.64|2|2
1.3.6.1.2.1.17.4.3.1.2.140.22.69.193.150.122|2|16
1.3.6.1.2.1.17.4.3.1.2.196.0.173.192.196.87|2|0
`,
);

/** Aruba 8325 (GL.10.04): a row's number has the length of the address before it, and one Ethernet interface is without a name. */
const arubaCx = recording(
  {
    7: ['1/1/7', 6, 1, '1/1/7', 1],
    43: ['1/1/43', 6, 1, '1/1/43', 1],
    56: ['1/1/56', 6, 2, '1/1/56', 1],
    821: ['lag53', 161, 1, 'lag53', 0],
    16778816: ['vlan1600', 53, 1, 'vlan1600', 2],
    268435456: ['', 6, 1],
  },
  `
1.3.6.1.2.1.17.1.4.1.2.7|2|7
1.3.6.1.2.1.17.1.4.1.2.43|2|43
1.3.6.1.2.1.17.1.4.1.2.821|2|821
1.3.6.1.2.1.17.4.3.1.2.6.0.224.237.92.237.210|2|0
1.3.6.1.2.1.17.4.3.1.2.6.0.224.237.122.66.193|2|7
1.3.6.1.2.1.17.4.3.1.2.6.28.52.218.65.213.209|2|43
`,
);

/** HP KB.16.11 with a module: port A1 is not port 1, and belongs to the trunk. */
const procurve = recording(
  {
    1: ['1', 6, 2, '1', 1],
    3: ['3', 6, 1, '3', 1],
    36: ['36', 6, 1, '36', 1],
    55: ['A1', 6, 1, 'A1', 1],
    57: ['A3', 6, 2, 'A3', 1],
    962: ['Trk1', 161, 1, 'Trk1', 2],
    1268: ['VLAN1', 53, 1, 'VLAN1', 2],
    5481: ['Out Of Band Management Port', 6, 2, '', 2],
  },
  `
1.3.6.1.2.1.17.1.4.1.2.36|2|36
1.3.6.1.2.1.17.1.4.1.2.962|2|962
1.3.6.1.2.1.17.7.1.2.2.1.2.4.0.224.201.1.4.204|2|962
1.3.6.1.2.1.17.7.1.2.2.1.2.4.0.224.201.32.26.163|2|36
1.3.6.1.2.1.17.7.1.2.2.1.2.4.112.16.111.143.120.0|2|0
1.3.6.1.2.1.17.7.1.4.2.1.3.0.4|66|4
`,
);

/**
 * Allied Telesis x908, a stack of two chassis with bays. Its ifDescr is what somebody wrote, and its ifConnectorPresent follows the link,
 * even of a VLAN.
 */
function allied(firstPortUp: 1 | 2): string {
  return recording(
    {
      2: ['eth0', 6, 1, 'eth0', 1],
      301: ['Link-name', 135, 1, 'vlan1', 1],
      399: ['vlan99', 135, 2, 'vlan99', 2],
      4601: ['po1', 1, 1, 'po1', 1],
      5101: ['Link-to-C2-X930-STK', 6, firstPortUp, 'port1.1.1', firstPortUp],
      5105: ['port1.1.5', 6, 2, 'port1.1.5', 2],
      5109: ['Lab-PC', 6, 1, 'port1.1.9', 1],
      5801: ['Link', 6, 1, 'port1.8.1', 1],
      5805: ['Link', 6, 2, 'port1.8.5', 2],
      6101: ['Link-to-C2-X930-STK', 6, 1, 'port2.1.1', 1],
      6105: ['port2.1.5', 6, 2, 'port2.1.5', 2],
      6801: ['Link-to-x930', 6, 1, 'port2.8.1', 1],
    },
    `
1.3.6.1.2.1.17.1.4.1.2.9|2|5109
1.3.6.1.2.1.17.1.4.1.2.13|2|5801
1.3.6.1.2.1.17.1.4.1.2.33|2|4601
1.3.6.1.2.1.17.7.1.2.2.1.2.1.0.0.205.55.9.180|2|33
1.3.6.1.2.1.17.7.1.2.2.1.2.2.224.26.234.40.38.208|2|13
1.3.6.1.2.1.17.7.1.2.2.1.2.105.128.31.2.0.192.195|2|9
`,
  );
}

const alliedPorts = (firstPort: string) => [
  `1 ${firstPort}`,
  '5 down',
  '9 up',
  'port1.8.1 up',
  'port1.8.5 down',
  '2.1 up',
  '2.5 down',
  'port2.8.1 up',
];

it.each([
  ['AT-GS950/24', webSmart, {}, ['1 up', '4 down', '7 up', '24 down']],
  ['Advantech EKI-7428G-4C', advantech, {}, ['2 up', '16 up', '27 down', '28 up']],
  ['Aruba 8325', arubaCx, {}, ['7 up', '43 up', '56 down']],
  ['HP KB.16.11', procurve, {}, ['1 down', '3 up', '36 up', 'A1 up', 'A3 down']],
  ['Allied x908', allied(1), { groups: 2 }, alliedPorts('up')],
  ['Allied x908 without a cable', allied(2), { groups: 2 }, alliedPorts('down')],
  ['TP-Link JetStream', jetstream, {}, ['1 up', '2 down', '3 down', '10 down', '51 up', '52 up']],
  ['Zyxel XMG1915-10EP', zyxel, {}, ['1 down', '2 up', '6 up', '9 up', '10 down']],
  ['Cisco SFE2000', sfe2000, {}, ['1 down', '2 up', '3 down', 'g1 up', 'g2 up']],
  ['D-Link DES-3200', dlink, {}, ['1 down', '2 up', '17 up']],
  ['D-Link DES-3200 in a stack', dlink, { groups: 2 }, ['1 down', '2 up', '17 up']],
  ['Metel BOX-PoE', metel, {}, ['1 up', '2 down', 'G1 up', 'G2 down']],
])('the ports of a %s have the numbers of their labels', async (_what, text, options, expected) => {
  const { seen } = await read(text, options);

  expect(links(seen)).toEqual(expected);
});

it('a MAC table without its column of statuses is read', async () => {
  const { seen, driver } = await read(zyxel);

  expect(seen.hosts.map(({ mac, port }) => `${mac} ${port}`)).toEqual([
    '2c:cf:67:2a:14:ec 2',
    '30:57:14:d1:4a:ff 9',
    'c0:92:96:40:13:ed 6',
  ]);
  // It tells only the power of the whole switch.
  await expect(driver.read(['1'], patient())).rejects.toThrow('does not have the object');
});

it('an address that is a text is one of the switch', async () => {
  expect((await read(jetstream)).seen.own).toEqual(['b0:be:76:3b:5d:e1']);
});

it.each([
  ['AT-GS950/24', webSmart, ['00:00:cd:1d:b1:1c 7 1', '00:90:0b:2a:11:ad 1 1']],
  [
    'Advantech EKI-7428G-4C',
    advantech,
    [
      '00:0c:29:0a:3c:e3 28 undefined',
      '14:49:bc:1e:06:40 2 undefined',
      '8c:16:45:c1:96:7a 16 undefined',
    ],
  ],
  ['Aruba 8325', arubaCx, ['00:e0:ed:7a:42:c1 7 undefined', '1c:34:da:41:d5:d1 43 undefined']],
  ['HP KB.16.11', procurve, ['00:e0:c9:01:04:cc Trk1 4', '00:e0:c9:20:1a:a3 36 4']],
  [
    'Allied x908',
    allied(1),
    ['00:00:cd:37:09:b4 po1 1', 'e0:1a:ea:28:26:d0 port1.8.1 2', '80:1f:02:00:c0:c3 9 105'],
  ],
])('the MAC table of a %s has the rows that others find', async (_what, text, expected) => {
  const { seen } = await read(text, { groups: 2 });

  expect(seen.hosts.map(({ mac, port, vlan }) => `${mac} ${port} ${vlan}`)).toEqual(expected);
});

it.each([
  ['one VLAN', ['3.0.20|66|3', '3.0.30|66|7'], '20'],
  ['two VLANs', ['3.0.20|66|3', '3.0.30|66|3'], undefined],
  ['no VLAN', ['3.0.30|66|7'], '3'],
])('a filtering database with %s', async (_what, rows, expected) => {
  const text = webSmart.replaceAll('.17.7.1.2.2.1.2.1.', '.17.7.1.2.2.1.2.3.');
  const { seen } = await read(
    [text, ...rows.map((row) => `1.3.6.1.2.1.17.7.1.4.2.1.${row}`)].join('\n'),
  );

  expect(seen.hosts.map(({ vlan }) => vlan)).toEqual([expected, expected]);
});
