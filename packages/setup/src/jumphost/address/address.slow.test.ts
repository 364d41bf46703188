/**
 * The address of a bare Debian, changed over ssh, by ifupdown and by systemd-networkd.
 *
 * One test goes on where the one before has ended: it is the story of one jumphost.
 */

import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  address,
  type BareJumphost,
  network,
  type OpenHost,
  openTestHost,
  ours,
  startBareJumphost,
  subnet,
  whyNoJumphost,
} from '@skolo/setup/k3s/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { changeAddress } from './fixed-address.ts';

const { signal } = new AbortController();
const other = `${network}.9`;

describe.skipIf(whyNoJumphost())('the address of a jumphost', () => {
  let jumphost: BareJumphost;
  let host: OpenHost;
  beforeAll(async () => {
    jumphost = await startBareJumphost();
    const { HOME = '' } = jumphost.workstation.env;
    await appendFile(
      join(HOME, 'ssh_config'),
      `Host jumphost-new
  HostName ${other}
  User root
  IdentityFile ${HOME}/id_ed25519
  IdentitiesOnly yes
  UserKnownHostsFile ${HOME}/known_hosts
  GlobalKnownHostsFile none
  StrictHostKeyChecking accept-new
  ConnectTimeout 2
`,
    );
    host = await open('jumphost-rack4');
  });
  afterAll(async () => {
    await host?.close();
    await jumphost?.close();
  });

  function open(way: string, stop = signal): Promise<OpenHost> {
    const { rack, env } = jumphost.workstation;
    return openTestHost({ rack: { ...rack, ways: [{ host: way }] }, env }, stop);
  }

  /** Until a session gets in at this name. @param returnSeconds where nobody gets in, all of it passes */
  async function change(to: string, way: string, returnSeconds = 600): Promise<void> {
    const newSession = (stop: AbortSignal) => open(way, stop);
    await changeAddress(host, { address: to, subnet }, { returnSeconds, signal, newSession });
    await host.close();
    host = await open(way);
  }

  const addresses = async () =>
    (await host.need('ip -4 -o address show dev host0')).match(/inet \S+/g)?.join(' ');

  it('is fixed where it came from DHCP', async () => {
    await host.need(`ip address change ${address}/24 dev host0 valid_lft 3600 preferred_lft 3600`);

    await change(address, 'jumphost-rack4');

    expect(await addresses()).toBe(`inet ${address}/24`);
    expect(await host.need('ip -4 -o address show dev host0')).not.toContain('dynamic');
  });

  it('is another one, and the previous one is gone', async () => {
    await change(other, 'jumphost-new');

    expect(await addresses()).toBe(`inet ${other}/24`);
    expect(await host.need('ip route show default')).toContain(`via ${ours} `);
    await jumphost.computer.cutPower();
    await jumphost.computer.boot();
    await host.close();
    host = await open('jumphost-new');
    expect(await addresses()).toBe(`inet ${other}/24`);
  });

  it('stays where the disk is full, and the next run changes it', async () => {
    const files = '/etc/network';
    await host.need(`cp -a ${files} /root/ && mount -t tmpfs -o size=64k tmpfs ${files}
cp -a /root/network/. ${files}/; head -c 1M /dev/zero > ${files}/.full 2>/dev/null || true`);

    await expect(change(address, 'jumphost-rack4', 40)).rejects.toThrow(
      /No space left on device.*; the disk is full; free disk space/,
    );
    await host.need(`umount ${files}`);
    expect(await addresses()).toBe(`inet ${other}/24`);

    await change(address, 'jumphost-rack4');
    expect(await addresses()).toBe(`inet ${address}/24`);
    await change(other, 'jumphost-new');
  });

  it('is the previous one again where nobody gets in', async () => {
    await expect(change(`${network}.10`, 'jumphost-rack4', 40)).rejects.toThrow(
      // The name leads to the new address.
      'the previous files are restored, but new SSH sessions still fail',
    );

    await host.close();
    host = await open('jumphost-new');
    expect(await addresses()).toBe(`inet ${other}/24`);
  });

  it('is not that of another computer', async () => {
    await expect(change(ours, 'jumphost-new')).rejects.toThrow(`) uses ${ours}; turn it off`);
  });

  it('is left alone where it is not clear what sets it', async () => {
    await host.write({
      path: '/etc/systemd/network/20-wired.network',
      content: `[Match]\nName=host*\n[Network]\nAddress=${other}/24\nGateway=${ours}\nDNS=${ours}\n`,
    });
    await host.need('systemctl start systemd-networkd.service');
    await expect
      .poll(() => host.need('cat /run/systemd/netif/links/* | grep -c 20-wired || true'))
      .toBe('1\n');

    await expect(change(address, 'jumphost-rack4')).rejects.toThrow(
      'more than one program manages the interface host0: ifupdown, systemd-networkd; configure',
    );
    await host.need(`systemd-run -q --unit NetworkManager sleep infinity
printf '#!/bin/sh\\necho Wired connection 1\\n' > /usr/local/bin/nmcli; chmod +x /usr/local/bin/nmcli`);
    await expect(change(address, 'jumphost-rack4')).rejects.toThrow(
      'the interface host0: ifupdown, systemd-networkd, NetworkManager; configure',
    );
  });

  it('is left to NetworkManager, with the commands that set it', async () => {
    const hide = 'mv /run/systemd/netif/links /run/links; mv /etc/network/interfaces /run/';
    await host.need(hide);

    await expect(change(address, 'jumphost-rack4')).rejects.toThrow(
      `NetworkManager manages the interface host0; run: nmcli connection modify 'Wired connection 1' ipv4.method manual ipv4.addresses ${address}/24 ipv4.gateway ${ours} ipv4.dns NAME-SERVER && nmcli connection up 'Wired connection 1'`,
    );

    await host.need(`mv /run/links /run/systemd/netif/; mv /run/interfaces /etc/network/
systemctl stop NetworkManager; rm /usr/local/bin/nmcli`);
  });

  it('is changed where systemd-networkd sets it', async () => {
    await host.need(
      'echo > /etc/network/interfaces; systemctl disable -q networking; systemctl enable -q systemd-networkd',
    );

    await change(address, 'jumphost-rack4');

    expect(await addresses()).toBe(`inet ${address}/24`);
    expect(await host.read('/etc/systemd/network/05-skolo-host0.network')).toContain(`DNS=${ours}`);
    await expect(change(other, 'jumphost-rack4', 40)).rejects.toThrow(
      'the previous settings are in effect again, and new SSH sessions can be opened',
    );
    await host.close();
    host = await open('jumphost-rack4');
    expect(await addresses()).toBe(`inet ${address}/24`);
  });
});
