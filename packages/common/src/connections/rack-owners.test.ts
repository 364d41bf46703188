import { parseRack } from '@skolo/rack';
import { describe, expect, it } from 'vitest';
import { rackOwners } from './rack-owners.ts';

const subnet = 'network: { subnet: 192.168.1.0/24 }';
const yaml = `
rack: rack1
${subnet}
jumphost: { name: jumphost, address: 192.168.1.8 }
machines:
  rpi-1: { kind: rpi, address: 192.168.1.101, mac: "02:00:00:00:00:01" }
services: { metadata-server: { trustedProxies: [10.9.0.0/24] } }
`;
/** IPv4 and IPv6. */
const withoutSubnet = yaml.replace(subnet, '').replace('192.168.1.101', '"fd00::1"');

function start(macs = new Map<string, string>(), text = yaml) {
  const watched = { rack: parseRack(text, { file: 'rack.yaml' }) };
  let reads = 0;
  const owners = rackOwners({
    rack: watched,
    async readNeighbours() {
      reads += 1;
      return macs;
    },
    everyMs: 1,
  });
  const ownerOf = (remote: string, local = '192.168.1.8') => owners.ownerOf({ remote, local });
  const later = (remote: string) => owners.laterOwnerOf?.({ remote, local: 'fe80::8' });
  return { watched, ownerOf, later, reads: () => reads };
}

describe('the owner of a connection', () => {
  it.each([
    ['a machine', '192.168.1.101', { kind: 'machine', machine: 'rpi-1', most: 64 }],
    ['a program on the jumphost', '127.0.0.1', { kind: 'jumphost', most: 256 }],
    ['the jumphost', '192.168.1.8', { kind: 'jumphost', most: 256 }],
    ['another computer of the rack', '192.168.1.77', { kind: 'neighbours', most: 256 }],
    ['an unknown address of IPv6', 'fe80::1', { kind: 'neighbours', most: 256 }],
    ['a pod', '10.42.0.7', { kind: 'others', most: 256 }],
    ['a trusted proxy', '10.9.0.1', { kind: 'proxies', most: 4096 }],
  ])('is %s', (_, address, owner) => {
    expect(start().ownerOf(address)).toEqual(owner);
  });

  it('is the jumphost at any of its addresses', () => {
    expect(start().ownerOf('10.0.0.5', '10.0.0.5')).toMatchObject({ kind: 'jumphost' });
  });

  it('is a machine with an address of IPv6, and without a subnet everybody else is of the rack', () => {
    const { ownerOf } = start(new Map(), withoutSubnet);

    expect(ownerOf('fd00::1')).toMatchObject({ machine: 'rpi-1' });
    expect(ownerOf('10.42.0.7')).toMatchObject({ kind: 'neighbours' });
  });

  it('follows rack.yaml', () => {
    const { watched, ownerOf } = start();
    const text = yaml.replace('192.168.1.101', '192.168.1.77');

    watched.rack = parseRack(text, { file: 'rack.yaml' });

    expect(ownerOf('192.168.1.77')).toMatchObject({ machine: 'rpi-1' });
    expect(ownerOf('192.168.1.101')).toMatchObject({ kind: 'neighbours' });
  });
});

describe('an address of IPv6', () => {
  it('belongs to the machine whose MAC the kernel knows behind it, from then on at once', async () => {
    const { ownerOf, later, reads } = start(new Map([['fe80::a', '02:00:00:00:00:01']]));

    expect(ownerOf('fe80::a')).toMatchObject({ kind: 'neighbours' });
    const found = await Promise.all([later('fe80::a'), later('fe80::a'), later('fe80::b')]);

    expect(found).toMatchObject([{ machine: 'rpi-1' }, { machine: 'rpi-1' }, undefined]);
    expect(found[2]).toBeUndefined();
    expect(ownerOf('fe80::a')).toMatchObject({ machine: 'rpi-1' });
    expect(reads()).toBe(1);
  });

  it('is not looked up if rack.yaml has it, or if it is of IPv4', async () => {
    const { later, reads } = start(new Map(), withoutSubnet);

    expect(await later('fd00::1')).toBeUndefined();
    expect(await later('192.168.1.77')).toBeUndefined();
    expect(reads()).toBe(0);
  });
});
