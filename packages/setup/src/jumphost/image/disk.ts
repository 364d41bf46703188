/**
 * Creates a root file system in a directory, and a jumphost's disk image from it, with time limits (another architecture takes hours):
 * GPT with a UEFI partition and the root. Debian programs create both, without a loop device.
 */
import { errorText, script, withArguments } from '@skolo/base';
import { run } from '@skolo/base/run';
import { apart, ComputerError } from '@skolo/setup/engine';
import { efiLabel, grubStart, type ImageArchitecture, platforms, rootLabel } from './boot.ts';
import { jumphostPackages } from './steps.ts';

/** In addition to those of jumphosts. */
const systemPackages = ['systemd-sysv', 'udev', 'kmod', 'initramfs-tools', 'zstd', 'e2fsprogs'];

/** The Debian packages that contain the programs, by program. */
const programs = {
  mmdebstrap: 'mmdebstrap',
  sfdisk: 'fdisk',
  'mkfs.ext4': 'e2fsprogs',
  'mkfs.vfat': 'dosfstools',
  mcopy: 'mtools',
};

/** @throws ComputerError This computer cannot build an image; the message says what to do. */
export async function rejectIncapable(signal: AbortSignal): Promise<void> {
  if (process.getuid?.() !== 0) {
    throw new ComputerError('building an image requires root; run the command again with sudo');
  }
  const missing: string[] = [];
  for (const [program, name] of Object.entries(programs)) {
    const found = run('sh', ['-c', 'command -v "$0"', program], { signal });
    await found.catch(() => missing.push(name));
  }
  signal.throwIfAborted();
  if (missing.length === 0) return;
  throw new ComputerError(
    `programs required to build the image are missing; run apt-get install ${missing.join(' ')}`,
  );
}

interface RootOptions {
  /** An existing, empty directory. */
  folder: string;
  architecture: ImageArchitecture;
  /** A tar archive of a root file system, instead of Debian's mirrors. */
  archive?: string | undefined;
  signal: AbortSignal;
}

/** Creates the root file system with a kernel. @throws ComputerError */
export async function makeRoot({ folder, architecture, archive, signal }: RootOptions) {
  const packages = [...jumphostPackages, ...systemPackages, ...platforms[architecture].packages];
  const made =
    archive === undefined
      ? run(
          'unshare',
          [
            ...[...apart, 'mmdebstrap'],
            ...['--quiet', '--variant=minbase', '--mode=root', `--architectures=${architecture}`],
            ...[`--include=${packages.join(',')}`, '--dpkgopt=force-unsafe-io'],
            ...['bookworm', folder],
          ],
          limits(signal, 6),
        )
      : run(
          'tar',
          ['--extract', '--numeric-owner', '--file', archive, '--directory', folder],
          limits(signal, 1),
        );
  await made.catch((cause: unknown) => fail('cannot build the root file system', cause, signal));
}

/** @throws ComputerError */
export async function makeDisk(
  image: string,
  { folder, architecture, signal }: Omit<RootOptions, 'archive'>,
): Promise<void> {
  const { shim, grub, start, rootType, packages } = platforms[architecture];
  const args = [
    ...[image, folder, `${image}.efi`, shim, grub, start, rootType, packages.join(', ')],
    ...[efiLabel, rootLabel, grubStart],
  ];
  const make = withArguments(script(new URL('./make-disk.sh', import.meta.url)), ...args);
  const made = run('sh', ['-eu', '-c', make], limits(signal, 1));
  await made.catch((cause: unknown) => fail('cannot build the disk image', cause, signal));
}

/** `unshare --fork` ignores SIGTERM. Another architecture is emulated, and takes hours. */
function limits(signal: AbortSignal, hours: number) {
  return { signal, timeout: hours * 3_600_000, killSignal: 'SIGKILL' } as const;
}

function fail(what: string, cause: unknown, signal: AbortSignal): never {
  signal.throwIfAborted();
  const said = cause instanceof Error && 'stderr' in cause ? `${cause.stderr}`.trim() : '';
  const why = said.split('\n').slice(-3).join('; ') || errorText(cause);
  const isForeign = said.includes('binfmt_misc');
  throw new ComputerError(
    `${what}: ${why}${isForeign ? '; run apt-get install qemu-user-static' : ''}`,
    { cause },
  );
}
