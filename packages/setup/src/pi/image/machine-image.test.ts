/** Images of machines, made from small ones that sfdisk, mkfs.vfat, mtools and mke2fs have made, and read by others. */
import { createHash } from 'node:crypto';
import { copyFile, mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '@skolo/base/testing';
import { lacks } from '@skolo/simulators';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { diskOf } from '../disk/disk.ts';
import type { PiSetup } from '../setup.ts';
import {
  bootOffset,
  checkFat,
  copyByMtools,
  makeTestImage,
  rootOffset,
  systems,
} from '../testing/test-image.ts';
import { testCluster, testSetup, testToken } from '../testing/test-setup.ts';
import { openBaseImage } from './base-image.ts';
import { customise } from './machine-image.ts';
import { writeChanged } from './write-image.ts';

const { signal } = new AbortController();
const now = new Date('2026-11-22T11:00:00Z');

describe.skipIf(lacks('mtools'))('the image of a machine', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'skolo-pi-'));
    for (const [name, system] of Object.entries(systems)) {
      await makeTestImage(join(folder, `${name}.img`), system);
    }
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  async function machine(base: string, setup: PiSetup, program?: Uint8Array): Promise<string> {
    const file = await open(join(folder, base));
    try {
      const image = await openBaseImage(await diskOf(base, file));
      await customise(image, { setup, now, ...(program && { program }) });
      const out = join(folder, `${setup.identity.hostname}.img`);
      await writeChanged(image.disk, out, signal);
      return out;
    } finally {
      await file.close();
    }
  }

  /** Files of the boot partition. */
  const filesOf = async (image: string) =>
    copyByMtools(image, await mkdtemp(join(folder, 'boot-')));

  it('of cloud-init has its seed, and one line of the kernel with its instance', async () => {
    const out = await machine('trixie.img', testSetup);
    const read = await filesOf(out);

    expect(await read('user-data')).toMatchSnapshot();
    const metaData = await read('meta-data');
    expect(metaData).toMatch(/^instance-id: rpi-001-[0-9a-f]{12}\nlocal-hostname: rpi-001\n$/);
    const [, instance] = /instance-id: (\S+)/.exec(metaData) ?? [];
    expect(await read('cmdline.txt')).toBe(
      `console=serial0,115200 console=tty1 root=PARTUUID=aa-02 rootfstype=ext4 fsck.repair=yes rootwait cgroup_memory=1 cgroup_enable=memory ds=nocloud;i=${instance}\n`,
    );
    expect(await read('network-config')).toMatchSnapshot();
    expect(await read('config.txt')).toBe(
      `dtparam=audio=on\n\n[cm4]\notg_mode=1\n\n[all]\n\n[all]\n# Written by skolo, which overwrites changes below this line.\ndtparam=watchdog=on\ndtoverlay=disable-wifi\n`,
    );
    await checkFat(out);
  });

  it('leaves everything else as it is, and takes no more room than the base', async () => {
    const out = await machine('trixie.img', testSetup);

    const [before, after] = await Promise.all(
      [join(folder, 'trixie.img'), out].map((file) => readFile(file)),
    );
    // The root partition, and the table of partitions.
    expect(after?.subarray(rootOffset).equals(before?.subarray(rootOffset) as Buffer)).toBe(true);
    expect(after?.subarray(0, bootOffset).equals(before?.subarray(0, bootOffset) as Buffer)).toBe(
      true,
    );
    const { stdout } = await run('debugfs', [
      '-R',
      'cat /usr/lib/os-release',
      `${out}?offset=${rootOffset}`,
    ]);
    expect(stdout).toContain('trixie');
    const { stdout: blocks } = await run('du', ['-k', out]);
    expect(Number.parseInt(blocks, 10)).toBeLessThan(12_000);
  });

  it('of a machine that joins has the token and the program, and its script moves them', async () => {
    const program = Buffer.alloc(3_000_000, 'k3s');
    const programSha256 = createHash('sha256').update(program).digest('hex');
    const out = await machine(
      'ubuntu.img',
      {
        ...testSetup,
        cluster: { ...testCluster, programSha256 },
      },
      program,
    );
    const read = await filesOf(out);

    expect(await read('skolo-token')).toBe(`${testToken}\n`);
    expect(await read('skolo-k3s')).toBe(program.toString());
    const script = await read('skolo-setup.sh');
    expect(script).toContain(programSha256);
    expect(script).not.toContain(testToken);
    expect(await read('user-data')).not.toContain('abc123');
    // Of Ubuntu, in a folder.
    expect(await read('current/cmdline.txt')).toBe(
      'console=tty1 root=LABEL=writable rootfstype=ext4 rootwait fixrtc cgroup_memory=1 cgroup_enable=memory\n',
    );
    await checkFat(out);
  });

  it('of the first run of systemd has its script and the words that start it', async () => {
    const out = await machine('bookworm.img', testSetup);
    const read = await filesOf(out);

    expect(await read('cmdline.txt')).toMatch(
      / init=\/usr\/lib\/raspberrypi-sys-mods\/firstboot cgroup_memory=1 cgroup_enable=memory systemd\.run=\/boot\/firmware\/firstrun\.sh systemd\.run_success_action=reboot systemd\.run_failure_action=reboot systemd\.unit=kernel-command-line\.target\n$/,
    );
    expect(await read('firstrun.sh')).toMatchSnapshot();
    expect(await read('skolo-setup.sh')).toContain('address1=192.168.1.101/24,192.168.1.1');
    await expect(read('user-data')).rejects.toThrow();
  });

  it("of Debian's own has the first run, and its lasting words where raspi-firmware reads them", async () => {
    const out = await machine('debian.img', testSetup);
    const read = await filesOf(out);

    expect(await read('cmdline.txt')).toMatch(
      / rootwait cgroup_memory=1 cgroup_enable=memory systemd\.run=\/boot\/firmware\/firstrun\.sh .*\n$/,
    );
    expect(await read('config.txt')).toBe(systems.debian.boot['config.txt']);
    expect(await read('firstrun.sh')).toMatchSnapshot();
    const script = await read('skolo-setup.sh');
    expect(script).toContain('/etc/default/raspi-extra-cmdline');
    expect(script).toContain('    address 192.168.1.101/24\n    gateway 192.168.1.1\n');

    const wired = { ...testSetup.identity, wired: 'dhcp' as const };
    await expect(machine('debian.img', { ...testSetup, identity: wired })).rejects.toThrow(
      'gets its name servers from DHCP; omit --dns',
    );
  });

  it('of rpi-preseed has one file of TOML', async () => {
    const out = await machine('preseed.img', testSetup);
    const read = await filesOf(out);

    expect(await read('rpi-preseed.toml')).toMatchSnapshot();
    expect(await read('skolo-setup.sh')).toContain('address1=192.168.1.101/24,192.168.1.1');
  });

  it.each(Object.keys(systems))(
    'is not made from one of %s that was customised, whose token would stay',
    async (system) => {
      const out = await machine(`${system}.img`, { ...testSetup, cluster: testCluster });

      await expect(machine(out.slice(folder.length + 1), testSetup)).rejects.toThrow(
        /the image was customised or booted before \(it contains .*skolo-token/,
      );
    },
  );

  it('is not made from one that has started', async () => {
    const { boot, root } = systems.trixie;
    await makeTestImage(join(folder, 'started.img'), {
      boot: {
        ...boot,
        'user-data': '#cloud-config\nssh_pwauth: false\nusers: [{ name: ann }]\n',
        'network-config': 'network:\n  wifis: { wlan0: { access-points: { lab: {} } } }\n',
        'sysconf.txt': '#hostname=a\nroot_pw=secret\n',
      },
      root: {
        ...root,
        'etc/machine-id': `${'0123456789abcdef'.repeat(2)}\n`,
        'etc/rancher/k3s/token': testToken,
        'etc/ssh/ssh_host_ed25519_key': 'KEY',
        'etc/NetworkManager/system-connections/lab.nmconnection': '[wifi]\n',
        'etc/netplan/90-NM-1.yaml': '',
        'var/lib/cloud/instances/rpi-001/user-data.txt': '',
        'var/lib/cloud/instance': 'a link',
        'var/lib/skolo-enrol/key.pem': 'KEY',
      },
    });

    await expect(machine('started.img', testSetup)).rejects.toThrow(
      'started.img: the image was customised or booted before (it contains user-data with machine settings, network-config with machine settings, sysconf.txt with machine settings, /etc/rancher, /etc/ssh/ssh_host_ed25519_key, /etc/NetworkManager/system-connections/lab.nmconnection, /etc/netplan/90-NM-1.yaml, /var/lib/skolo-enrol, /var/lib/cloud/instance, /var/lib/cloud/instances/rpi-001, a machine ID in /etc/machine-id); use the unmodified image',
    );
  });

  it('is not made from the copy of an SD card in use, whose journal has more than its files', async () => {
    const copy = join(folder, 'copy.img');
    await copyFile(join(folder, 'trixie.img'), copy);
    await run('debugfs', ['-w', '-R', 'feature needs_recovery', `${copy}?offset=${rootOffset}`]);

    await expect(machine('copy.img', testSetup)).rejects.toThrow(
      'copy.img: the ext4 file system was not cleanly unmounted',
    );
  });

  it('is not made from what is no image', async () => {
    const none = join(folder, 'none.img');
    await run('truncate', ['-s', '1M', none]);
    await expect(machine('none.img', testSetup)).rejects.toThrow('no partition table');
    await run('sh', ['-c', 'head -c 30M "$1" > "$2"', 'sh', join(folder, 'trixie.img'), none]);
    await expect(machine('none.img', testSetup)).rejects.toThrow(
      'partition 1 has an invalid position or size',
    );
  });
});
