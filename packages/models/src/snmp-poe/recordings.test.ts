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

it.each([
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
