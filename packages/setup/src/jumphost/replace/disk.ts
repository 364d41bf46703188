/**
 * The dead jumphost's disk, in the spare or in a USB case. It is only read, except for the journal of its
 * file system, which the kernel replays as after a power cut, because otherwise the latest writes would be missing.
 */
import { shellWord } from '@skolo/base';
import { ComputerError, type Host, linesOf } from '@skolo/setup/engine';

/** The mount point of its file system. */
const mounted = '/run/skolo-old-disk';
/** A disk may have to spin up, and be repaired. */
const diskMs = 600_000;

/** File systems on which Debian may be installed. An operator must first open others: LVM, LUKS, RAID. */
const fileSystems = ['btrfs', 'ext3', 'ext4', 'f2fs', 'xfs'];

interface OldDisk {
  /** For people. */
  title: string;
  /** Its root, on the spare. */
  folder: string;
}

/**
 * Mounts the old jumphost's root: the file system that contains skolo's state and its host name.
 *
 * @param where a directory if it is mounted; a device or `LABEL=…`; absent: all unmounted file systems are tried
 * @throws ComputerError None or more than one was found; the message lists what was tried.
 */
export async function openDisk(
  host: Host,
  jumphost: string,
  where: string | undefined,
): Promise<OldDisk> {
  const folder = shellWord(where ?? '');
  const isFolder = where !== undefined && (await host.run(`[ -d ${folder} ]`)).code === 0;
  if (isFolder) {
    await host.need(
      `[ -d ${folder}/var/lib/skolo ] || { echo ${folder}'/var/lib/skolo: no such directory; specify the root of the disk of the old jumphost' >&2; exit 1; }`,
    );
    return { title: `disk at ${where}`, folder: where };
  }
  const tried = linesOf(await host.need(tryScript(jumphost, where), { deadlineMs: diskMs }));
  const found = tried.flatMap((line) => (line.startsWith('found ') ? [line.slice(6)] : []));
  const [device] = found;
  if (device === undefined || found.length > 1) {
    const what = found.length > 1 ? `${found.length} disks` : 'no disk';
    throw new ComputerError(
      `${host.name}: ${what} of ${jumphost} found (${tried.join('; ') || 'no unmounted file system'}); mount the right file system and specify its directory with --disk`,
    );
  }
  await host.need(`mount -o ro ${shellWord(device)} ${mounted}`, { deadlineMs: diskMs });
  return { title: `disk ${device}`, folder: mounted };
}

/** Also of a run that was killed. */
export async function closeDisk(host: Host): Promise<void> {
  await host.need(`! mountpoint -q ${mounted} || umount ${mounted}`, { deadlineMs: diskMs });
}

/** Prints a line for each file system: `found DEVICE`, or why it does not match. */
function tryScript(jumphost: string, where: string | undefined): string {
  const device =
    where === undefined
      ? ''
      : `device=$(findfs ${shellWord(where)} 2>/dev/null || echo ${shellWord(where)})
[ -b "$device" ] || { echo ${shellWord(where)}': not a directory or device on this computer' >&2; exit 1; }
`;
  return `${device}! mountpoint -q ${mounted} || umount ${mounted} || exit 1
mkdir -p -m 0700 ${mounted}
lsblk -nrpo PATH,MOUNTPOINT ${where === undefined ? '' : '"$device"'} | sort -u | while read -r path at; do
  [ -b "$path" ] && [ -z "$at" ] || continue
  case $(blkid -o value -s TYPE "$path") in
    ${fileSystems.join('|')}) ;;
    *_member|crypto_LUKS) echo "$path: LVM, LUKS or RAID; open it first"; continue ;;
    *) continue ;;
  esac
  if ! mount -o ro "$path" ${mounted} 2>/dev/null; then echo "$path: cannot be mounted"; continue; fi
  name=$(cat ${mounted}/etc/hostname 2>/dev/null)
  if [ ! -d ${mounted}/var/lib/skolo ]; then echo "$path: does not contain /var/lib/skolo"
  elif [ "$name" != ${shellWord(jumphost)} ]; then echo "$path: belongs to \${name:-a computer without a name}"
  else echo "found $path"; fi
  umount ${mounted}
done`;
}
