/** Boots a computer from the image: UEFI with Debian's signed GRUB, which also boots kernels from later updates. */

import type { Architecture } from '@skolo/setup/debian';
import { fileStep } from '@skolo/setup/engine';

interface Platform {
  /** Debian packages: kernel and boot loader. */
  packages: readonly string[];
  /** Type of the root partition (UAPI.2, Discoverable Partitions). */
  rootType: string;
  /** The file that UEFI starts by default. */
  start: string;
  /** Of Debian, in the root file system. */
  shim: string;
  grub: string;
}

export const platforms = {
  amd64: {
    packages: ['linux-image-amd64', 'grub-efi-amd64', 'grub-efi-amd64-signed', 'shim-signed'],
    rootType: '4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709',
    start: 'BOOTX64.EFI',
    shim: '/usr/lib/shim/shimx64.efi.signed',
    grub: '/usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed',
  },
  arm64: {
    packages: ['linux-image-arm64', 'grub-efi-arm64', 'grub-efi-arm64-signed', 'shim-signed'],
    rootType: 'B921B045-1DF0-41C3-AF44-4C6F280D3FAE',
    start: 'BOOTAA64.EFI',
    shim: '/usr/lib/shim/shimaa64.efi.signed',
    grub: '/usr/lib/grub/arm64-efi-signed/grubaa64.efi.signed',
  },
} satisfies Partial<Record<Architecture, Platform>>;

export type ImageArchitecture = keyof typeof platforms;

export const rootLabel = 'skolo-root';
export const efiLabel = 'SKOLO-EFI';
const consoles = 'console=ttyS0,115200 console=tty0';

/** On the UEFI partition. */
export const grubStart = `search --no-floppy --label --set=root ${rootLabel}
set prefix=($root)/boot/grub
configfile $prefix/grub.cfg
`;

/** Used until the first kernel update, when update-grub writes a new one. */
const firstMenu = `set timeout=1
menuentry 'Debian' {
  linux /vmlinuz root=LABEL=${rootLabel} ro ${consoles}
  initrd /initrd.img
}
`;

/** Disk and boot loader. The root file system grows to the whole disk at each start. */
export const bootStep = fileStep({
  name: 'boot',
  about:
    'UEFI boot, consoles on the screen and serial port, and a root file system that grows to fill the disk',
  files: [
    {
      path: '/etc/fstab',
      content: `LABEL=${rootLabel} / ext4 errors=remount-ro,x-systemd.growfs 0 1
LABEL=${efiLabel} /boot/efi vfat umask=0077,nofail 0 2
`,
    },
    { path: '/etc/repart.d/50-skolo-root.conf', content: '[Partition]\nType=root\n' },
    {
      path: '/etc/default/grub.d/skolo.cfg',
      content: `GRUB_TIMEOUT=1\nGRUB_CMDLINE_LINUX='${consoles}'\n`,
    },
    { path: '/boot/grub/grub.cfg', content: firstMenu },
  ],
  activate: 'mkdir -p /boot/efi',
  verify: `[ -e /vmlinuz ] || echo 'the kernel is missing'`,
});
