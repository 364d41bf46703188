/** The file of systemd-networkd, read by networkd itself in a network namespace; the database of udev is of this test. */
import { run } from '@skolo/base/testing';
import { lacks } from '@skolo/simulators';
import { describe, expect, it } from 'vitest';
import { firstBoot } from '../image/first-boot.ts';
import { matchFunction, withFixedAddress } from './networkd.ts';

const computer = `set -e
mount -t tmpfs none /run
mount -t sysfs none /sys
mkdir -p /run/netns /run/udev/data
for each in /lib/systemd/network /etc/systemd/network; do mkdir -p $each; mount -t tmpfs none $each; done
ip netns add far
# port NAME PATH: with a cable.
port() {
  ip link add $1 type veth peer name $1 netns far
  ip -n far link set $1 up
  printf 'I:1\\n%s\\n' "\${2:+E:ID_PATH=$2}" > /run/udev/data/n$(cat /sys/class/net/$1/ifindex)
}
${matchFunction}
`;

async function on(script: string): Promise<string[]> {
  const { stdout } = await run('unshare', [
    ...['--net', '--mount', '--pid', '--fork', '--mount-proc'],
    ...['sh', '-c', script],
  ]);
  return stdout.split('\n').filter((line) => line !== '');
}

describe.skipIf(lacks('root', 'ip', 'awk', 'systemd-nspawn'))("a jumphost's address", () => {
  it.each([
    ['a built-in port', 'port eth0 pci-0000:01:00.0', 'Path=pci-0000:01:00.0'],
    ['an adapter on USB', 'port eth0 pci-0000:00:14.0-usb-0:3:1.0', 'Name=eth0'],
    ['one of two ports with the same path', 'port eth0 pci-1; port eth1 pci-1', 'Name=eth0'],
    ['a port without a path', "port eth0 ''", 'Name=eth0'],
    ['a port that udev does not know', 'port eth0 pci-1; rm /run/udev/data/*', 'Name=eth0'],
  ])('is for %s', async (_, ports, line) => {
    expect(await on(`${computer}${ports}; match_of eth0`)).toEqual([line]);
  });

  it('stays at its port if the names change', async () => {
    const fixed = { name: 'eth0', address: '192.168.1.8', prefix: 24 };
    const text = withFixedAddress('', fixed, 'Path=pci-0000:01:00.0');

    const said =
      await on(`${computer}port eth0 pci-0000:00:14.0-usb-0:3:1.0; port eth1 pci-0000:01:00.0
cat > /etc/systemd/network/05-skolo-eth0.network << 'END'
${text}
END
/lib/systemd/systemd-networkd 2> /dev/null &
left=200; until ip -o -4 address | grep -q 192 || [ $left = 0 ]; do left=$((left - 1)); sleep 0.1; done
ip -o -4 address | awk '{ print $2, $4 }'`);

    expect(said).toEqual(['eth1 192.168.1.8/24']);
  });

  const [findInterface = ''] = /^find_interface\(\) \{.*?^\}/ms.exec(firstBoot) ?? [];
  it.each([
    ['of the port, not of a phone', '', 'enp1s0=1 usb0=1', 'enp1s0'],
    [
      'of no phone, although only that has a link',
      '',
      'enp1s0=0 usb0=1',
      'no network cable in enp1s0; connect one',
    ],
    ['of a phone that the stick names', 'usb0', 'enp1s0=1 usb0=1', 'usb0'],
  ])('from a stick is that %s', async (_, named, ports, found) => {
    for (const driver of ['rndis_host', 'cdc_ether', 'cdc_ncm', 'huawei_cdc_ncm', 'ipheth']) {
      const said = await on(`mount -t tmpfs none /sys
${findInterface}
value() { echo '${named}'; }
ip() { :; }
for each in ${ports}; do
  at=/sys/class/net/\${each%=*}
  mkdir -p $at/device
  echo 1 > $at/type; echo \${each#*=} > $at/carrier
  case $each in usb0=*) ln -s /sys/bus/usb/drivers/${driver} $at/device/driver ;; *) ln -s /sys/bus/pci/drivers/igc $at/device/driver ;; esac
done
why= interface=
find_interface; echo "\${interface:-$why}"`);
      expect(said).toEqual([found]);
    }
  });
});
