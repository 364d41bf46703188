/**
 * The network of a node when k3s starts: interfaces and routes of a network namespace, and flannel's own functions, which choose an
 * interface of it and make flannel.1.
 */
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run, tempDir } from '@skolo/base/testing';
import { lacks, peer } from '@skolo/simulators';
import { beforeEach, describe, expect, it } from 'vitest';
import { networkScriptFile } from './node-network.ts';

/** A node with two networks: the rack's, and that of a router or phone. */
const node = `set -u
mount -t tmpfs none /run
ip link set lo up
for each in 'eth0 10.1.1.7 rack 10.1.1.8' 'wlan0 192.168.9.2 phone 192.168.9.1'; do
  set -- $each
  ip netns add $3
  ip link add $1 type veth peer name $3 netns $3
  ip link set $1 up
  ip -n $3 link set $3 up
  ip address add $2/24 dev $1
  ip -n $3 address add $4/24 dev $3
done
settings() { printf '%s\\n' "$@" > $SKOLO_ROOT/etc/rancher/k3s/config.yaml; }
# As k3s does.
flannel() { "$FLANNEL" "$@" 2>&1 | grep -v '^[IW]'; }
# As its unit does.
start() { network start 2>&1 && . $SKOLO_ROOT/run/skolo-node-network && flannel "$SKOLO_FLANNEL_IFACE"; }
over() { ip -o -d link show flannel.1 | grep -o ' dev [^ ]*'; }
`;
/** The server of a cluster. */
const server = `
openssl req -x509 -newkey ed25519 -nodes -subj /CN=k3s -days 2 -keyout $SKOLO_ROOT/key -out $SKOLO_ROOT/cert 2> /dev/null
ip netns exec rack openssl s_server -quiet -www -accept 6443 -key $SKOLO_ROOT/key -cert $SKOLO_ROOT/cert 2> /dev/null &
trap "kill $!" EXIT
until ip netns exec rack ss -Hltn | grep -q 6443; do :; done
`;
const wifiFirst = 'ip route add default via 192.168.9.1';

const why = lacks('root', 'ip', 'iptables', 'flannel', 'curl', 'openssl');
describe.skipIf(why)("a node's network", () => {
  let root: string;
  beforeEach(async () => {
    root = await tempDir();
    for (const each of ['bin', 'run', 'etc/rancher/k3s/config.yaml.d'])
      await mkdir(join(root, each), { recursive: true });
    await writeFile(join(root, 'bin/network'), networkScriptFile.content, { mode: 0o755 });
    // Waits end when nothing more is to come.
    await symlink('/bin/true', join(root, 'bin/sleep'));
  });

  async function on(script: string): Promise<string[]> {
    const { stdout } = await run(
      'unshare',
      ['--net', '--mount', '--propagation', 'private', 'sh', '-c', `${node}${script}`],
      {
        env: {
          ...process.env,
          PATH: `${root}/bin:${process.env.PATH}`,
          SKOLO_ROOT: root,
          FLANNEL: peer('flannel'),
        },
      },
    );
    return stdout.split('\n').filter((line) => line !== '');
  }

  const none = 'there is no route of last resort';
  it.each<[string, string, string[]]>([
    [
      'a default route in another network',
      `${wifiFirst}; settings 'node-ip: 10.1.1.7'
flannel; network check; start; network check; over`,
      [
        'wlan0 192.168.9.2',
        "pods communicate over wlan0 instead of eth0, the interface of this node's own address",
        none,
        'eth0 10.1.1.7',
        ' dev eth0',
      ],
    ],
    [
      'names that change with the next start of the computer',
      `${wifiFirst}; settings 'node-ip: 10.1.1.7'; start
ip link delete flannel.1
for each in eth0-was wlan0-eth0 was-wlan0; do ip link set \${each%-*} down; ip link set \${each%-*} name \${each#*-} up; done
start; network check; over`,
      ['eth0 10.1.1.7', 'wlan0 10.1.1.7', ' dev wlan0'],
    ],
    [
      'no default route',
      `settings 'node-ip: 10.1.1.7'; flannel; start; network check; network start; network check`,
      ['failed to get default interface: unable to find default route', 'eth0 10.1.1.7'],
    ],
    [
      'a default route that comes later',
      `settings 'node-ip: 10.1.1.7'; start; ${wifiFirst} metric 4000
ip route get 1.1.1.1 | grep -o 'dev [^ ]*'; ip route del default metric 4000; ip route get 1.1.1.1 | grep -o 'dev [^ ]*'`,
      ['eth0 10.1.1.7', 'dev wlan0', 'dev skolo-last'],
    ],
    [
      'an IPv6 address',
      `ip address add fd00::7/64 dev eth0 nodad; settings 'node-ip: fd00::7'; network start; cat $SKOLO_ROOT/run/*; network check; ip -6 route show default`,
      ['SKOLO_FLANNEL_IFACE=eth0', 'default dev skolo-last metric 2147483647 pref medium'],
    ],
    [
      'an address that is not there',
      `settings 'node-ip: 10.1.1.9' 'server: https://10.1.1.8:6443'; start; ls $SKOLO_ROOT/run`,
      ['no interface has 10.1.1.9; check the network cable, and ip address'],
    ],
    [
      'settings of an operator',
      `${wifiFirst}; settings "node-ip: '10.1.1.7,fd00::7' # both"; start
echo 'node-ip: 192.168.9.2' > $SKOLO_ROOT/etc/rancher/k3s/config.yaml.d/50.yaml; start
rm $SKOLO_ROOT/etc/rancher/k3s/config.yaml.d/50.yaml; settings 'node-ip: [ 10.1.1.7 ]'; start
printf 'node-ip:\\r\\n- "10.1.1.7"\\r\\n- fd00::7' > $SKOLO_ROOT/etc/rancher/k3s/config.yaml
echo 'node-label: [a=b]' > $SKOLO_ROOT/etc/rancher/k3s/config.yaml.d/50.yaml; start`,
      ['eth0 10.1.1.7', 'wlan0 192.168.9.2', 'eth0 10.1.1.7', 'eth0 10.1.1.7'],
    ],
    [
      'no address in the settings, before and after the cable is connected',
      `${wifiFirst}; settings 'server: https://10.1.1.8:6443'; ${server}
# It rejects connections.
ip -n phone address add 10.1.1.8/32 dev phone
ip link set eth0 down; start; ip link set eth0 up; start; network check`,
      [
        'no interface has an address from which https://10.1.1.8:6443 responds; check the network cable, and ip address',
        'eth0 10.1.1.7',
      ],
    ],
  ])('with %s', async (_, script, said) => {
    expect(await on(script)).toEqual(said);
  });

  it('starts as soon as the address is there', async () => {
    await writeFile(
      join(root, 'bin/cable'),
      '#!/bin/sh\nip address add 10.1.1.9/24 dev eth0 2> /dev/null\n',
      { mode: 0o755 },
    );
    const said = await on(`settings 'node-ip: 10.1.1.9'
rm $SKOLO_ROOT/bin/sleep; ln -s cable $SKOLO_ROOT/bin/sleep; ip address del 10.1.1.7/24 dev eth0; start`);

    expect(said).toEqual(['eth0 10.1.1.9']);
  });

  it.each([
    ['', 'ENETUNREACH'],
    ['ip route add unreachable default metric 2147483647', 'EHOSTUNREACH'],
    ['start', 'open'],
  ])('lets a process connect to a service of the cluster, after: %s', async (route, result) => {
    const [last] = (
      await on(`settings 'node-ip: 10.1.1.7'
# As kube-proxy does.
iptables -w -t nat -A OUTPUT -d 10.43.0.1 -p tcp --dport 443 -j DNAT --to-destination 10.1.1.7:6443
iptables -w -t nat -A POSTROUTING -d 10.1.1.7 -p tcp --dport 6443 -j MASQUERADE
${route}
'${process.execPath}' -e "require('node:net').createServer().listen(6443, '10.1.1.7', () =>
  require('node:net').connect(443, '10.43.0.1')
    .on('connect', () => { console.log('open'); process.exit() })
    .on('error', ({ code }) => { console.log(code); process.exit() }))"`)
    ).slice(-1);

    expect(last).toBe(result);
  });
});
