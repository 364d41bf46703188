/**
 * The running Raspberry Pis of a small rack: Debians in namespaces at one switch, in the state of a new Raspberry Pi OS with a user and a
 * password.
 */

import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { pause } from '@skolo/base';
import { adaptToContainer, bareComputer, bridge, network } from '@skolo/setup/k3s/testing';
import { type Computer, peer, removeBridge } from '@skolo/simulators';

const run = promisify(execFile);

/** Deviations of one Pi. */
export type Oddity =
  /** Each command takes a second longer. */
  | 'slow'
  | 'other-password'
  | 'full-disk'
  /** Name servers do not respond, and apt's sources are on the internet. */
  | 'offline'
  /** Its clock starts at this time. */
  | 'in-1970'
  /** It has Wi-Fi, whose other end is ours. */
  | 'wifi'
  /** Its address comes from DHCP, if there is a server. */
  | 'dhcp';

export interface RunningPis {
  /** rack.yaml, and a file with the password of all. */
  rack: string;
  passwordFile: string;
  /** Of the command. */
  env: NodeJS.ProcessEnv;
  computers: Map<string, Computer>;
  close(): Promise<void>;
}

const password = 'raspberry';
const third = network.split('.').at(-1);
/** The Wi-Fi network: our end, and the master's. */
export const outside = {
  device: `wifi-${third}`,
  ours: `198.18.${third}.1`,
  theirs: `198.18.${third}.2`,
};
/** Addresses of Pis with DHCP, in rack.yaml. */
const mac = (name: string) => `dc:a6:32:00:00:${name.slice(-2)}`;
const restartAsked = '/run/restart-asked';

/** Performs requested restarts, until the signal. */
export async function restartAsTold({ computers }: RunningPis, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    for (const computer of computers.values()) {
      const isAsked = await computer.read(restartAsked).then(
        () => true,
        () => false,
      );
      if (!isAsked) continue;
      await computer.cutPower();
      await computer.boot();
    }
    await pause(200, signal).catch(() => undefined);
  }
}

/** `host01` is the master, at `.11`. */
export async function startPis(oddities: readonly (Oddity | undefined)[]): Promise<RunningPis> {
  const home = await mkdtemp(join(tmpdir(), 'skolo-pis-'));
  const computers = new Map<string, Computer>();
  const small = join(home, 'small');
  async function close() {
    for (const each of computers.values()) await each.scrap();
    await removeBridge(bridge);
    await run('umount', [small]).catch(() => undefined);
    await rm(home, { recursive: true, force: true });
  }
  try {
    await mkdir(small);
    await Promise.all(
      oddities.map(async (oddity, at) => {
        const name = `host${String(at + 1).padStart(2, '0')}`;
        const computer = await newPi(oddity, small);
        computers.set(name, computer);
        await install(computer, { name, address: `${network}.${11 + at}`, oddity });
      }),
    );
    for (const computer of computers.values()) await computer.boot();
    return {
      ...(await makeWorkstation(home, {
        count: oddities.length,
        isRouter: oddities.includes('wifi'),
      })),
      computers,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function newPi(oddity: Oddity | undefined, small: string): Promise<Computer> {
  if (oddity === 'wifi') return await bareComputer({ bridge, cables: { wlan0: outside.device } });
  if (oddity !== 'full-disk') return await bareComputer({ bridge });
  await run('mount', ['-t', 'tmpfs', '-o', 'size=96m', 'small', small]);
  return await bareComputer({ bridge, disks: small });
}

async function install(
  computer: Computer,
  { name, address, oddity }: { name: string; address: string; oddity: Oddity | undefined },
): Promise<void> {
  await computer.write('/etc/hostname', 'raspberrypi\n');
  await computer.write(
    '/etc/hosts',
    '127.0.0.1 localhost\n127.0.1.1 raspberrypi\n192.168.0.9 printer\n',
  );
  const wire = `auto host0\niface host0 inet static\n  address ${address}/24\n`;
  const wifi = `auto wlan0\niface wlan0 inet static\n  address ${outside.theirs}/24\n  gateway ${outside.ours}\n`;
  await computer.write(
    '/etc/network/interfaces',
    `auto lo\niface lo inet loopback\n${oddity === 'dhcp' ? '' : wire}${oddity === 'wifi' ? wifi : ''}`,
  );
  if (oddity === 'dhcp') {
    await computer.write(
      '/etc/systemd/network/10-wire.network',
      `[Match]\nName=host0\n[Link]\nMACAddress=${mac(name)}\n[Network]\nDHCP=ipv4\n[DHCPv4]\nClientIdentifier=mac\n`,
    );
  }
  await computer.write('/boot/firmware/config.txt', '# Of a Pi.\n[pi4]\nmax_framebuffers=2\n');
  await computer.write(
    '/boot/firmware/cmdline.txt',
    'console=tty1 root=PARTUUID=6c586e13-02 rootwait\n',
  );
  if (oddity === 'offline') {
    await computer.write(
      '/etc/apt/sources.list',
      'deb http://deb.debian.org/debian bookworm main\n',
    );
    await computer.write('/etc/resolv.conf', 'nameserver 198.18.255.1\nnameserver 198.18.255.2\n');
  }
  await adaptToContainer(computer);
  // Its cable is plugged in when the test boots it.
  await computer.write(
    '/usr/local/sbin/systemctl',
    `#!/bin/sh\n[ "$1" != reboot ] || exec touch ${restartAsked}\nexec /usr/bin/systemctl "$@"\n`,
    0o755,
  );
  const wait = oddity === 'slow' ? 'ForceCommand sleep 1; eval "$SSH_ORIGINAL_COMMAND"\n' : '';
  await computer.write(
    '/etc/ssh/sshd_config.d/50-first.conf',
    `PasswordAuthentication yes\n${wait}`,
  );
  // A copy has the same keys as the original.
  await computer.write(
    '/etc/systemd/system/ssh.service.d/keys.conf',
    '[Service]\nExecStartPre=\nExecStartPre=/usr/local/sbin/first-user\nExecStartPre=/usr/bin/ssh-keygen -A\nExecStartPre=/usr/sbin/sshd -t\n',
  );
  const word = oddity === 'other-password' ? 'another one' : password;
  await computer.write(
    '/usr/local/sbin/first-user',
    `#!/bin/sh
[ ! -d /home/pi ] || exit 0
useradd --create-home --shell /bin/bash pi
echo 'pi:${word}' | chpasswd
echo 'pi ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/010_pi-nopasswd
${oddity === 'full-disk' ? 'dd if=/dev/zero of=/var/full bs=1M count=60 2> /dev/null' : ':'}
`,
    0o755,
  );
  if (oddity === 'in-1970') {
    await computer.write('/var/lib/test-clock', '86400\n');
    // All computers share this clock.
    await computer.write(
      '/usr/local/sbin/date',
      `#!/bin/sh
case $* in
  '-u -s @'*) rm -f /var/lib/test-clock ;;
  *) if [ -e /var/lib/test-clock ]; then exec /usr/bin/date -d "@$(cat /var/lib/test-clock)" "$@"; fi
     exec /usr/bin/date "$@" ;;
esac
`,
      0o755,
    );
  }
}

async function makeWorkstation(
  home: string,
  { count, isRouter }: { count: number; isRouter: boolean },
) {
  const ssh = join(home, '.ssh');
  const bin = join(home, 'bin');
  for (const folder of [ssh, bin, join(home, 'run')]) await mkdir(folder, { mode: 0o700 });
  await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(ssh, 'id_ed25519')]);
  const config = join(home, 'ssh_config');
  await writeFile(
    config,
    `IdentityFile ${join(ssh, 'id_ed25519')}
IdentitiesOnly yes
IdentityAgent none
UserKnownHostsFile ${join(ssh, 'known_hosts')}
GlobalKnownHostsFile none
`,
  );
  await writeFile(
    join(bin, 'ssh'),
    `#!/bin/sh\nexec '${resolve(peer('ssh') ?? '')}' -F '${config}' "$@"\n`,
    { mode: 0o755 },
  );
  const rack = join(home, 'rack.yaml');
  await writeFile(
    rack,
    `rack: desk
timezone: Europe/Berlin
network: { subnet: ${network}.0/24, domain: lan }
jumphost: { name: host01, address: ${network}.11${isRouter ? ', uplink: internet' : ''} }
logins: { pis: { username: pi } }
machines:
  host[02-${String(count).padStart(2, '0')}]: { kind: rpi, address: "${network}.[12-${10 + count}]", login: pis, mac: "dc:a6:32:00:00:[02-${String(count).padStart(2, '0')}]" }
`,
  );
  const passwordFile = join(home, 'password');
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  const env = {
    PATH: `${bin}:${process.env.PATH}`,
    HOME: home,
    XDG_RUNTIME_DIR: join(home, 'run'),
  };
  return { rack, passwordFile, env };
}
