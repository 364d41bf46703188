/** The kernel's own tables, in the network namespace of a real FRR: bridge, neighbours, links. */
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DeviceRejected } from '@skolo/equipment/transports';
import { describe, expect, it, onTestFinished, type TestContext } from 'vitest';
import { shareFrr } from '../../frr/testing/shared-frr.ts';
import { loadConnectedHosts } from '../../load.ts';
import { realDevice } from '../../testing/real-device.ts';
import { dnsmasqLeases, vyattaLeases } from './linux-connected-hosts.ts';

const start = shareFrr();
const machine = 'b8:27:eb:00:00:01';

/** A bridge with two ports, one of which has no link; a machine behind the other, and a router beyond eth9. */
const network = `set -e
ip link show br0 >/dev/null 2>&1 && exit 0
mount -t sysfs sysfs /sys
ip link add br0 type bridge
ip link add lan1 type veth peer name far1
ip link add lan2 type veth peer name far2
ip link add eth9 type veth peer name far9
# Not every kernel has VLANs; their names tell what they are on.
ip link add link eth9 name eth9.20 type vlan id 20 2>/dev/null || ip link add eth9.20 type veth peer name far20
ip link set lan1 master br0; ip link set lan2 master br0
for each in br0 lan1 far1 lan2 eth9 far9 eth9.20; do ip link set "$each" up; done
ip address add 192.0.2.1/24 dev br0
ip address add 198.51.100.1/24 dev eth9.20
# Linux accepts learned addresses on a forwarding port only, and delivers a link's change up to a second later.
for _ in $(seq 100); do bridge -d link show dev lan1 | grep -q 'state forwarding' && break; sleep 0.1; done
bridge fdb add ${machine} dev lan1 master dynamic
ip neigh add 192.0.2.5 lladdr ${machine} dev br0 nud reachable
ip neigh add 198.51.100.9 lladdr b8:27:eb:00:00:09 dev eth9.20 nud reachable
ip neigh add 192.0.2.66 dev br0 nud incomplete 2>/dev/null || true`;

async function sit(context: TestContext, model: string) {
  const router = await start(context, 'shell');
  const sitting = await realDevice(router, { model });
  const connection = sitting.connect();
  await connection.exec(network);
  const create = await loadConnectedHosts(model);
  const read = async () => {
    const seen = await create?.(sitting.device).read({
      connection: sitting.connect(),
      credentials: () => Promise.reject(new Error('no SNMP here')),
      signal: new AbortController().signal,
    });
    if (seen === undefined) throw new Error(`${model} is not read`);
    // The kernel may already have learned the far ends from their own packets.
    return { ...seen, hosts: seen.hosts.filter(({ mac }) => mac.startsWith('b8:27:eb')) };
  };
  return { router, read, connection };
}

describe.each(['linux', 'frr'])('a host that is a %s', (model) => {
  it('tells who is behind its bridge, its neighbours and its links', async (context) => {
    const { read } = await sit(context, model);

    const { hosts, ports, own } = await read();

    // The kernel lists neighbours in any order.
    hosts.sort((one, other) => one.mac.localeCompare(other.mac));
    expect(hosts).toEqual([
      { mac: machine, port: 'lan1', source: 'mac-table' },
      { mac: machine, address: '192.0.2.5', source: 'arp' },
      { mac: 'b8:27:eb:00:00:09', address: '198.51.100.9', port: 'eth9', source: 'arp' },
    ]);
    const links = new Map(ports.map(({ name, up }) => [name, up]));
    expect(['lan1', 'lan2', 'eth9', 'br0', 'eth9.20', 'lo'].map((name) => links.get(name))).toEqual(
      [...[true, false, true], ...[undefined, undefined, undefined]],
    );
    expect(own.length).toBeGreaterThan(3);
  });
});

it('is read from /sys where there is no bridge of iproute2', async (context) => {
  const { router, read } = await sit(context, 'linux');
  const bridge = join(router.dir, 'bin', 'bridge');
  await writeFile(bridge, '#!/bin/sh\nexit 127\n', { mode: 0o755 });
  onTestFinished(() => rm(bridge));

  const { hosts } = await read();

  expect(hosts[0]).toEqual({ mac: machine, port: 'lan1', source: 'mac-table' });
});

it('says that vtysh has no ARP table', async (context) => {
  const router = await start(context, 'vtysh');
  const { device, connect } = await realDevice(router, { model: 'frr' });
  const create = await loadConnectedHosts('frr');

  const reading = create?.(device).read({
    connection: connect(),
    credentials: () => Promise.reject(new Error('no SNMP here')),
    signal: new AbortController().signal,
  });

  await expect(reading).rejects.toThrow(
    'the login shell is vtysh, which cannot read the ARP table',
  );
  await expect(reading).rejects.toThrow(DeviceRejected);
});

describe('leases', () => {
  it('of dnsmasq have a name, or a star', () => {
    const text = `1795255200 ${machine} 192.0.2.5 rpi-001 01:b8:27\n0 b8:27:eb:00:00:02 192.0.2.6 * *\nduid 00:01\n`;

    expect(dnsmasqLeases('/tmp/dhcp.leases').parse(text)).toEqual([
      { mac: machine, address: '192.0.2.5', hostname: 'rpi-001', source: 'lease' },
      { mac: 'b8:27:eb:00:00:02', address: '192.0.2.6', source: 'lease' },
    ]);
  });

  it('of an EdgeRouter that has none, or no server', () => {
    const { parse } = vyattaLeases('show dhcp leases', 'Client Name');

    expect(parse('\nDHCP server is not configured\n')).toEqual([]);
    expect(
      parse(`IP address  Hardware Address   Client Name\n192.0.2.5   ${machine}  ?\n`),
    ).toEqual([{ mac: machine, address: '192.0.2.5', source: 'lease' }]);
  });
});
