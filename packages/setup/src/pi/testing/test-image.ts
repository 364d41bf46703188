/** A small disk image of a Raspberry Pi, made by the programs that distributions use: a boot partition of FAT, and a root of ext4. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const mib = 1024 * 1024;

interface TestImage {
  table?: 'dos' | 'gpt';
  fat?: 16 | 32;
  /** By path. */
  boot: Readonly<Record<string, string>>;
  root: Readonly<Record<string, string>>;
}

/** MiB of the partitions; that of FAT has 512 bytes in a cluster, so that a small one is FAT32. */
const sizes = { start: 1, boot: 34, root: 16 };
export const bootOffset = sizes.start * mib;
export const rootOffset = (sizes.start + sizes.boot) * mib;

export async function makeTestImage(file: string, image: TestImage): Promise<void> {
  const { table = 'dos', fat = 32, boot, root } = image;
  const folder = await mkdtemp(join(tmpdir(), 'skolo-image-'));
  try {
    await writeTree(join(folder, 'boot'), boot);
    await writeTree(join(folder, 'root'), root);
    const types = table === 'dos' ? ['c', '83'] : ['uefi', 'linux'];
    const script = `file=$1 fat=$2 folder=$3
truncate -s ${sizes.start + sizes.boot + sizes.root + 1}M "$file"
sfdisk --quiet "$file" <<END
label: ${table}
start=${sizes.start}MiB, size=${sizes.boot}MiB, type=${types[0]}
start=${sizes.start + sizes.boot}MiB, size=${sizes.root}MiB, type=${types[1]}
END
truncate -s ${sizes.boot}M "$folder/fat"
mkfs.vfat -F "$fat" -s ${fat === 32 ? 1 : 4} -n BOOTFS "$folder/fat" > /dev/null
MTOOLS_SKIP_CHECK=1 mcopy -s -i "$folder/fat" "$folder"/boot/* ::
dd if="$folder/fat" of="$file" bs=1M seek=${sizes.start} conv=notrunc,sparse status=none
mke2fs -q -t ext4 -L rootfs -d "$folder/root" -E offset=${rootOffset} "$file" ${sizes.root}M`;
    await run('sh', ['-eu', '-c', script, 'sh', file, `${fat}`, folder]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function writeTree(folder: string, files: Readonly<Record<string, string>>) {
  await mkdir(folder, { recursive: true });
  for (const [path, content] of Object.entries(files)) {
    const at = join(folder, path);
    await mkdir(dirname(at), { recursive: true });
    await writeFile(at, content);
  }
}

/** A file of the boot partition, by mtools. @param offset of that partition, bytes */
export async function readByMtools(
  image: string,
  path: string,
  offset = bootOffset,
): Promise<string> {
  const { stdout } = await run('mtype', ['-i', `${image}@@${offset}`, `::${path}`], {
    env: { ...process.env, MTOOLS_SKIP_CHECK: '1' },
    maxBuffer: 64 * mib,
  });
  return stdout;
}

/**
 * Copies all files of the boot partition by one program, and reads them there: a program costs more than its files.
 *
 * @param to a folder that is not there yet
 */
export async function copyByMtools(image: string, to: string, offset = bootOffset) {
  await mkdir(to, { recursive: true });
  await run('mcopy', ['-s', '-n', '-i', `${image}@@${offset}`, '::*', to], {
    env: { ...process.env, MTOOLS_SKIP_CHECK: '1' },
  });
  return (path: string) => readFile(join(to, path), 'utf8');
}

/** What fsck.vfat says of the boot partition, which is copied out: it has no option for an offset. */
export async function checkFat(image: string): Promise<string> {
  const part = `${image}.fat`;
  const script = `dd if="$1" of="$2" bs=1M skip=${sizes.start} count=${sizes.boot} status=none
fsck.vfat -n -v "$2"`;
  try {
    return (await run('sh', ['-eu', '-c', script, 'sh', image, part])).stdout;
  } finally {
    await rm(part, { force: true });
  }
}

/** What was on the boot partition of an image before anybody has changed it, by its system. */
export const systems = {
  trixie: {
    boot: {
      'cmdline.txt':
        'console=serial0,115200 console=tty1 root=PARTUUID=aa-02 rootfstype=ext4 fsck.repair=yes rootwait ds=nocloud;i=rpios-image\n',
      'config.txt': 'dtparam=audio=on\n\n[cm4]\notg_mode=1\n\n[all]\n',
      'user-data': '#cloud-config\n#hostname: raspberrypi\nssh_pwauth: false\n',
      'meta-data': 'instance_id: rpios-image\n',
      'network-config':
        'network:\n  version: 2\n  ethernets:\n    eth0:\n      dhcp4: true\n      optional: true\n#  wifis:\n#    wlan0:\n#      access-points:\n#        myhomewifi:\n#          password: "S3kr1t"\n',
    },
    root: {
      'etc/machine-id': 'uninitialized\n',
      'etc/netplan/00-network-manager-all.yaml': 'network: { renderer: NetworkManager }\n',
      'usr/sbin/NetworkManager': '',
      'usr/lib/os-release':
        'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nID=debian\nVERSION_CODENAME=trixie\n',
      'usr/bin/cloud-init': '#!/usr/bin/python3\n',
      'usr/bin/curl': '#!/bin/sh\n',
      'usr/bin/openssl': '#!/bin/sh\n',
      'usr/lib/raspberrypi-sys-mods/imager_custom': '#!/bin/sh\n',
    },
  },
  bookworm: {
    boot: {
      'cmdline.txt':
        'console=serial0,115200 console=tty1 root=PARTUUID=aa-02 rootfstype=ext4 fsck.repair=yes rootwait quiet init=/usr/lib/raspberrypi-sys-mods/firstboot\n',
      'config.txt': 'dtparam=audio=on\n[all]\n',
    },
    root: {
      'usr/lib/os-release': 'ID=debian\nVERSION_CODENAME=bookworm\n',
      'usr/lib/raspberrypi-sys-mods/imager_custom': '#!/bin/sh\n',
    },
  },
  debian: {
    boot: {
      'cmdline.txt':
        'console=tty0 console=ttyS1,115200 root=LABEL=RASPIROOT rw fsck.repair=yes net.ifnames=0 cma=64M rootwait \n',
      'config.txt':
        '# Do not modify this file!\narm_64bit=1\n\nenable_uart=1\nupstream_kernel=1\n\nkernel=vmlinuz-6.1.0-9-arm64\ninitramfs initrd.img-6.1.0-9-arm64\n',
      'sysconf.txt': '#root_authorized_key=\n#hostname=rpi\n',
    },
    root: {
      'usr/lib/os-release': 'ID=debian\nVERSION_CODENAME=bookworm\n',
      'etc/kernel/postinst.d/z50-raspi-firmware': '#!/bin/sh\n',
      'etc/network/interfaces.d/eth0': 'auto eth0\niface eth0 inet dhcp\n',
    },
  },
  preseed: {
    boot: {
      'cmdline.txt': 'console=tty1 root=PARTUUID=aa-02 rootwait\n',
      'config.txt': '[all]\n',
    },
    root: {
      'usr/lib/os-release': 'ID=debian\nVERSION_CODENAME=trixie\n',
      'usr/bin/rpi-preseed': '#!/bin/sh\n',
      'usr/lib/raspberrypi-sys-mods/imager_custom': '#!/bin/sh\n',
    },
  },
  ubuntu: {
    boot: {
      'config.txt':
        '[all]\nkernel=vmlinuz\ncmdline=cmdline.txt\nos_prefix=current/\n\n[tryboot]\nos_prefix=new/\n',
      'current/cmdline.txt': 'console=tty1 root=LABEL=writable rootfstype=ext4 rootwait fixrtc\n',
      'user-data':
        '#cloud-config\nchpasswd:\n  expire: true\n  users:\n  - name: ubuntu\n    password: ubuntu\n    type: text\nssh_pwauth: false\n',
      'meta-data': 'instance-id: x\n',
      'network-config': 'network:\n  version: 2\n',
    },
    root: {
      'usr/lib/os-release': 'ID=ubuntu\nVERSION_CODENAME=noble\n',
      'usr/bin/cloud-init': '#!/usr/bin/python3\n',
      'etc/machine-id': '',
    },
  },
} satisfies Record<string, TestImage>;
