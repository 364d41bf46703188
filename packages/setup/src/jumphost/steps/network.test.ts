/** Routes and MTUs of a kernel, in a network namespace of its own for each command. */
import { spawn } from 'node:child_process';
import { parseRack } from '@skolo/rack';
import { openHost } from '@skolo/setup/engine';
import { lacks } from '@skolo/simulators';
import { expect, it } from 'vitest';
import { networkStep } from './network.ts';

const subnet = '192.168.1.0/24';
const rack = parseRack(
  `rack: rack4
timezone: UTC
network: { subnet: ${subnet} }
jumphost: { name: jumphost-rack4, address: 192.168.1.8 }
machines: { rpi-1: { kind: rpi, address: 192.168.1.101 } }
equipment: { router: { model: edgeswitch, address: 192.168.1.8, ports: { ssh: 2222 } } }
`,
  { file: 'rack.yaml' },
);

/** The jumphost's address is that of a bridge, as on a host of virtual machines. */
const bridge = `ip link set lo up && ip link add br0 type bridge && ip link add e0 type veth peer name e1 && ip link set e1 up && ip link set e0 master br0
ip address add 192.168.1.8/24 dev br0 && ip link set e0 up && ip link set br0 up
ip route add default via 192.168.1.1`;

it.skipIf(lacks('root', 'ip', 'awk')).each([
  ['a bridge', '', []],
  [
    'programs that cannot reach each other',
    'ip link set lo down',
    [/^programs on this computer cannot reach each other at 127.0.0.1; run ip link set lo up/],
  ],
  [
    'a larger MTU below a bridge',
    'ip link set e1 mtu 9000; ip link set e0 mtu 9000; ip link set br0 mtu 1500',
    [],
  ],
  [
    'a small MTU below a bridge',
    'ip link set br0 mtu 1500; ip link set e0 mtu 1280; ip link set br0 mtu 1500',
    [/^e0, through which br0 sends, has MTU 1280 instead of 1500/],
  ],
  [
    'jumbo frames',
    'ip link set e1 mtu 9000; ip link set e0 mtu 9000; ip link set br0 mtu 9000',
    [/^br0 has MTU 9000/],
  ],
  [
    'a route with a small MTU to a machine',
    'ip route add 192.168.1.101 dev br0 mtu 1400',
    [/^large packets to 192.168.1.101 \(MTU 1400\) are lost, because of their route/],
  ],
  [
    'a locked MTU for the whole rack',
    'ip route replace 192.168.1.0/24 dev br0 src 192.168.1.8 mtu lock 1300',
    [/^large packets to 192.168.1.101 \(MTU 1300\)/],
  ],
  ['a small MTU of the internet', 'ip route change default via 192.168.1.1 mtu 1492', []],
  [
    'no route',
    'ip link add wg9 type bridge; ip link set wg9 up; ip route add 192.168.1.101 dev wg9',
    [/^1 of 1 addresses in rack.yaml are not routed over br0: 192.168.1.101 \(wg9\)/],
  ],
] as const)('judges %s', async (_, change, expected) => {
  const start = async (command: string) =>
    spawn('unshare', [
      ...['--net', '--mount', 'sh', '-c'],
      `mount -t sysfs sysfs /sys\n{ ${bridge}\n${change}\n} > /dev/null\n${command}`,
    ]);
  const host = await openHost({ name: 'here', start, signal: new AbortController().signal });

  const { differs } = await networkStep(rack, subnet).check(host);

  expect(differs).toEqual(expected.map((each) => expect.stringMatching(each)));
});
