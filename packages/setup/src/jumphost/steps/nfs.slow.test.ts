/**
 * The step `nfs` on a real Debian with its own exportfs, all but the kernel: that of this computer has no NFS server, so a unit
 * takes the place of nfs-server.service, and the last question of the check, a mount, is not answered.
 */

import { packagesStep } from '@skolo/setup/debian';
import { prepare, type StepProgress } from '@skolo/setup/engine';
import {
  address,
  type BareJumphost,
  type OpenHost,
  openTestHost,
  startBareJumphost,
  subnet,
  whyNoJumphost,
} from '@skolo/setup/k3s/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nfsPackages, nfsStep } from './nfs.ts';

const { signal } = new AbortController();
const folder = '/srv/skolo/nfs';

describe.skipIf(whyNoJumphost())('volumes over NFS', () => {
  let jumphost: BareJumphost;
  let host: OpenHost;
  beforeAll(async () => {
    jumphost = await startBareJumphost();
    host = await openTestHost(jumphost.workstation, signal);
    await host.write({
      path: '/etc/systemd/system/nfs-server.service',
      content: `[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/sbin/exportfs -ra
[Install]
WantedBy=multi-user.target
`,
    });
    await host.need('systemctl daemon-reload');
    const installed = await run([packagesStep(nfsPackages)]);
    expect(installed?.state).toBe('changed');
  });
  afterAll(async () => {
    await host?.close();
    await jumphost?.close();
  });

  async function run(
    steps = [nfsStep({ address, subnet })],
    isCheck = false,
  ): Promise<StepProgress | undefined> {
    return (await prepare(host, steps, { isCheck, signal, report() {} })).at(-1);
  }

  it('takes no room where little is left', async () => {
    await host.need('mount -t tmpfs -o size=1G tmpfs /srv');

    const step = await run();
    const left = await host.need('ls /srv/skolo; umount /srv');

    expect(step?.text).toMatch(
      /\/srv has \d+ MiB free, but volumes require 2048 .* mount a disk at/,
    );
    expect(left).toBe('nfs\n');
  });

  it('stops where another program is the NFS server', async () => {
    const listen = `require('net').createServer().listen(2049)`;
    await host.need(`systemd-run --quiet --unit=other /opt/test/node -e "${listen}"
until ss -Hltn 'sport = :2049' | grep -q .; do sleep 0.1; done`);

    const step = await run();
    await host.need('systemctl stop other');

    expect(step?.text).toMatch(
      /the NFS server \/opt\/test\/node \(process \d+\) is using port 2049; stop it, or remove/,
    );
  });

  it('makes no file system in place of a disk that is missing', async () => {
    const line = `/dev/disk/by-label/none ${folder} ext4 nofail,x-systemd.device-timeout=1s 0 0`;
    await host.need(`echo '${line}' >> /etc/fstab && systemctl daemon-reload`);

    const step = await run();
    const left = await host.need('find /srv; : > /etc/fstab; systemctl daemon-reload');

    expect(step?.state).toBe('failed');
    expect(left).not.toContain('img');
  });

  it('makes a file system without holes in a file, and mounts it again after a restart', async () => {
    // The kernel's, which a container has no names for.
    await host.need(`mount -t tmpfs -o size=3G tmpfs /srv
[ -e /dev/loop-control ] || mknod /dev/loop-control c 10 237
for n in 0 1 2 3 4 5 6 7; do [ -e /dev/loop$n ] || mknod /dev/loop$n b 7 $n; done`);

    const first = await run();
    const size = await host.need(`findmnt -no FSTYPE ${folder}; stat -c '%s %b %B' ${folder}.img`);
    await host.need(`touch ${folder}/kept
systemctl stop srv-skolo-nfs.mount && systemctl start srv-skolo-nfs.mount`);
    const again = await run();
    const left = await host.need(`ls ${folder}`);
    await host.need('systemctl disable --now srv-skolo-nfs.mount; umount /srv');

    // All but the last question, which only an NFS server could answer.
    for (const step of [first, again]) {
      expect(step?.text).toMatch(/^still incorrect after the change: mount\.nfs4: [^;]*$/);
    }
    const [type, ...figures] = size.split(/\s+/);
    const [bytes = 0, blocks = 0, blockSize = 0] = figures.map(Number);
    expect(type).toBe('ext4');
    expect(blocks * blockSize).toBeGreaterThanOrEqual(bytes);
    expect(left).toBe('kept\nlost+found\n');
  });

  it('exports a disk that is mounted there to the rack alone, and no user but one', async () => {
    await host.need(`mkdir -p ${folder} && mount -t tmpfs tmpfs ${folder}`);

    const step = await run();

    expect(step?.text).toMatch(/^still incorrect after the change: mount\.nfs4: [^;]*$/);
    expect(await host.need('exportfs -s')).toMatch(
      new RegExp(`^${folder} +${subnet}\\(sync,\\S*mountpoint,\\S*rw,\\S*all_squash\\)\n$`),
    );
    expect(await host.need('nfsconf --get nfsd vers3')).toBe('n\n');
    expect(await host.need(`stat -c %U:%a ${folder}; ls ${folder}.img 2>&1 || true`)).toMatch(
      /^nobody:770\nls: cannot access/,
    );
  });

  it('serves what an old server has exported, and names it', async () => {
    await host.need(`rm /etc/nfs.conf.d/50-skolo.conf
echo '/opt ${subnet}(ro,no_subtree_check)' > /etc/exports`);

    const step = await run();
    const look = await nfsStep({ address, subnet }).check(host);

    expect(step?.text).not.toContain('NFSv3');
    expect(look.note).toBe(`also exports /opt ${subnet}(ro,no_subtree_check)`);
    expect(look.differs).toEqual([expect.stringContaining('mount.nfs4')]);
    expect(await host.need('ls /etc/nfs.conf.d')).toBe('');
  });
});
