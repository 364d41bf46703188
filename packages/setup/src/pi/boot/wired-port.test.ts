/**
 * Who gets a Raspberry Pi's address beside a phone that tethers: NetworkManager, systemd-networkd and udev themselves, with interfaces of a
 * network namespace. The kernel says that all of them have the driver veth. NetworkManager reads drivers in a /sys of this test, and sees
 * those of real devices. networkd and udev ask the kernel, so veth stands for the built-in port's driver in their files, and the phone is a
 * tap device. No USB device and no Raspberry Pi is in this test.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { run, tempDir } from '@skolo/base/testing';
import type { TextFile } from '@skolo/setup/engine';
import { lacks, peer } from '@skolo/simulators';
import { beforeEach, describe, expect, it } from 'vitest';
import type { PiSetup } from '../setup.ts';
import { testSetup } from '../testing/test-setup.ts';
import { cloudInitFiles } from './cloud-init.ts';
import type { Method } from './customization.ts';
import { debianFiles } from './debian.ts';
import { builtInDrivers, networkManagerFiles } from './network.ts';

const mac = 'dc:a6:32:00:00:01';
const address = '192.168.1.101/24';
const setup: PiSetup = {
  ...testSetup,
  identity: { hostname: 'rpi-001', mac, wired: { address: '192.168.1.101', prefix: 24 } },
};

const computer = `set -eu
mount -t tmpfs none /run
mkdir -p /run/netns /run/kernel /run/dbus /run/udev/data /run/systemd/network /etc/systemd/network /lib/systemd/network
for each in /lib/systemd/network /etc/systemd/network; do mount -t tmpfs none $each; done
mount -t sysfs none /run/kernel
ip netns add far
ip link set lo up
# port NAME DRIVER [MAC]: with a cable.
port() {
  ip link add $1 type veth peer name $1 netns far
  [ -z "\${3-}" ] || ip link set $1 address $3
  ip -n far link set $1 up
  device=/run/sys/devices/$1
  mkdir -p $device/net/$1 /run/sys/class/net /run/sys/bus/test/drivers/$2
  for each in address addr_len ifindex iflink type flags mtu carrier dev_id dev_port uevent; do
    cat /run/kernel/class/net/$1/$each > $device/net/$1/$each 2> /dev/null || true
  done
  ln -s ../.. $device/net/$1/device
  ln -s /run/sys/class/net $device/net/$1/subsystem
  ln -s /run/sys/bus/test/drivers/$2 $device/driver
  ln -s /run/sys/bus/test $device/subsystem
  echo DRIVER=$2 > $device/uevent
  ln -s ../../devices/$1/net/$1 /run/sys/class/net/$1
  echo I:1 > /run/udev/data/n$(cat $device/net/$1/ifindex)
}
# unplug NAME: the cable.
unplug() { ip -n far link set $1 down; echo 0 > /run/sys/class/net/$1/carrier; }
# until_line PATTERN COMMAND: at most 20 s.
until_line() { left=200; until "$2" | grep -q "$1" || [ $left = 0 ]; do left=$((left - 1)); sleep 0.1; done; }
owners() { ip -o -4 address show to ${address.replace('/24', '')} | awk '{ print $2 }'; }
devices() { nmcli -t -f DEVICE,STATE,CONNECTION device; }
network_manager() {
  mount -t tmpfs none /var/lib
  mkdir -p /etc/NetworkManager /var/lib/NetworkManager
  mount -t tmpfs none /etc/NetworkManager
  cp -r $FILES/etc/NetworkManager/. /etc/NetworkManager/ 2> /dev/null || true
  cp -r $FILES/run/. /run/
  find /etc/NetworkManager /run/NetworkManager -name '*.nmconnection' -exec chmod 600 {} +
  printf '[main]\\nplugins=keyfile\\n' > /run/NetworkManager.conf
  mount --rbind /run/sys /sys
  dbus-daemon --config-file=$FILES/dbus.conf --nofork 2> /dev/null &
  until [ -S /run/dbus/system_bus_socket ]; do sleep 0.05; done
  SYSTEMD_DEVICE_VERIFY_SYSFS=0 NetworkManager --no-daemon --config /run/NetworkManager.conf > /run/log 2>&1 &
}
`;

const busConfig = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><listen>unix:path=/run/dbus/system_bus_socket</listen>
<policy context="default"><allow user="*"/><allow own="*"/><allow send_destination="*"/><allow receive_sender="*"/></policy></busconfig>`;

/** NetworkManager's own files, and those that netplan makes of network-config. */
const forNetworkManager = {
  NetworkManager: async (_: string, given: PiSetup) => networkManagerFiles(given),
  'netplan for NetworkManager': (folder: string, given: PiSetup) =>
    netplan(folder, given, 'cloud-init'),
};

async function netplan(folder: string, given: PiSetup, method: Method): Promise<TextFile[]> {
  const content = cloudInitFiles(given, 'x', method)['network-config'] ?? '';
  await write(folder, [{ path: 'etc/netplan/50-cloud-init.yaml', content, mode: 0o600 }]);
  const generate = join(dirname(peer('cloud-init') ?? ''), 'netplan-generate');
  await run(generate, ['--root-dir', folder]);
  return [];
}

async function write(folder: string, files: readonly TextFile[]): Promise<void> {
  for (const { path, content, mode } of files) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content, { mode });
  }
}

const why = lacks('root', 'ip', 'network-manager', 'cloud-init');
describe.skipIf(why)('a wired port', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await tempDir();
    await write(folder, [{ path: 'dbus.conf', content: busConfig, mode: 0o644 }]);
    await mkdir(join(folder, 'run/NetworkManager'), { recursive: true });
  });

  async function on(script: string): Promise<string[]> {
    const { stdout } = await run(
      'unshare',
      // All programs end with the script.
      ['--net', '--mount', '--pid', '--fork', '--mount-proc', 'sh', '-c', `${computer}${script}`],
      {
        env: {
          ...process.env,
          FILES: folder,
          PATH: `${dirname(peer('network-manager') ?? '')}:${process.env.PATH}`,
        },
      },
    );
    return stdout.split('\n').filter((line) => line !== '');
  }

  describe.each(Object.entries(forNetworkManager))('of %s', (_, files) => {
    it.each([
      ['a Pi 4', 'port usb0 rndis_host; port eth0 bcmgenet', 'eth0'],
      ['a Pi 5', 'port enx0 cdc_ncm; port end0 macb', 'end0'],
      ['a Pi 3 B whose phone is eth0', 'port eth1 smsc95xx; port eth0 cdc_ether', 'eth1'],
      ['a Pi 3 B+ whose phone is eth0', 'port eth1 lan78xx; port eth0 ipheth', 'eth1'],
      [
        'an adapter that rack.yaml knows',
        `port eth0 cdc_ncm; port eth1 r8152 ${mac}; port eth2 r8152`,
        'eth1',
      ],
    ])('has the address on %s', async (_, ports, owner) => {
      await write(folder, await files(folder, setup));

      expect(await on(`${ports}; network_manager; until_line . owners; owners`)).toEqual([owner]);
    });

    it('has it alone, although only the phone has a link', async () => {
      await write(folder, await files(folder, setup));

      const said = await on(`port eth0 rndis_host; port eth1 smsc95xx; unplug eth1; network_manager
until_line '^eth0:[^:]*:.' devices; devices | sed -n 's/^eth0:[^:]*://p'; owners`);

      expect(said).toEqual(['Wired connection 1']);
    });
  });

  it('of networkd has the address, and a phone has none', async () => {
    await netplan(folder, setup, 'cloud-init-networkd');

    const said = await on(`cp $FILES/run/systemd/network/* /run/systemd/network/
sed -i s/${builtInDrivers[0]}/veth/ /run/systemd/network/*
ip tuntap add eth0 mode tap
echo I:1 > /run/udev/data/n$(cat /run/kernel/class/net/eth0/ifindex)
port eth1 -; rm -r /run/sys; umount /run/kernel; mount -t sysfs none /sys
/lib/systemd/systemd-networkd 2> /dev/null &
until_line . owners; owners; grep -c NETWORK_FILE /run/systemd/netif/links/* | sed 's/.*://'`);

    expect(said).toEqual(['eth1', '0', '0', '1']);
  });

  it("of Debian's own image has a name of its own", async () => {
    await write(folder, debianFiles(setup, []));

    const said = await on(`cp $FILES/etc/systemd/network/* /etc/systemd/network/
sed -i s/${builtInDrivers[0]}/veth/ /etc/systemd/network/*
ip tuntap add eth0 mode tap; port eth1 -; umount /run/kernel; mount -t sysfs none /sys
for each in eth0 eth1; do udevadm test-builtin net_setup_link /sys/class/net/$each 2> /dev/null | sed -n "s/^ID_NET_NAME=/$each /p"; done
sed -n 's/^allow-hotplug //p' $FILES/etc/network/interfaces.d/eth0`);

    expect(said).toEqual(['eth1 wired0', 'wired0']);
  });
});
