import { describe, expect, it } from 'vitest';
import * as interfaces from './interfaces.ts';
import * as networkd from './networkd.ts';

const fixed = { name: 'eno1', address: '192.168.1.8', prefix: 24, gateway: '192.168.1.1' };

describe('/etc/network/interfaces', () => {
  it('keeps other stanzas and options', () => {
    const text = `# The loopback network interface
auto lo
iface lo inet loopback

allow-hotplug eno1
iface eno1 inet dhcp
  hostname old
  dns-nameservers 192.168.1.1
  # A route of ours.
  up ip route add 10.9.0.0/16 via 192.168.1.2
iface eno1 inet6 auto
source /etc/network/interfaces.d/*
`;

    expect(interfaces.withFixedAddress(text, fixed)).toBe(`# The loopback network interface
auto lo
iface lo inet loopback

allow-hotplug eno1
iface eno1 inet static
  address 192.168.1.8/24
  gateway 192.168.1.1
  dns-nameservers 192.168.1.1
  # A route of ours.
  up ip route add 10.9.0.0/16 via 192.168.1.2
iface eno1 inet6 auto
source /etc/network/interfaces.d/*
`);
  });

  it('is left alone where it is not clear which stanza counts', () => {
    const twice = 'iface eno1 inet dhcp\niface eno1 inet static\n  address 10.0.0.1/24\n';

    expect(() => interfaces.withFixedAddress(twice, fixed)).toThrow('2 IPv4 stanzas for eno1');
    expect(interfaces.hasStanza('iface eno10 inet dhcp\niface eno1 inet6 auto\n', 'eno1')).toBe(
      false,
    );
  });
});

it('a file of systemd-networkd is for one interface, and keeps name servers and routes', () => {
  const text = `[Match]
Name=en*
[Network]
# From the router.
DHCP=yes
DNS=192.168.1.1
[DHCPv4]
UseDNS=no
[Route]
Destination=10.9.0.0/16
Gateway=192.168.1.2
`;

  expect(networkd.withFixedAddress(text, fixed)).toBe(`# Written by skolo: fixed address.
[Match]
Name=eno1

[Network]
DHCP=no
Address=192.168.1.8/24
Gateway=192.168.1.1
DNS=192.168.1.1

[Route]
Destination=10.9.0.0/16
Gateway=192.168.1.2
`);
});
