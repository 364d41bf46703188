/**
 * The dead jumphost's disk, in the spare or in a USB case. It is only read, except for the journal of its
 * file system, which the kernel replays as after a power cut, because otherwise the latest writes would be missing.
 */
import { script, shellWord, withArguments } from '@skolo/base';
import { ComputerError, type Host, linesOf } from '@skolo/setup/engine';

/** The mount point of its file system. */
const mounted = '/run/skolo-old-disk';
/** A disk may have to spin up, and be repaired. */
const diskMs = 600_000;

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
  const find = script(new URL('./find-disk.sh', import.meta.url));
  const words = [mounted, jumphost, ...(where === undefined ? [] : [where])];
  const tried = linesOf(await host.need(withArguments(find, ...words), { deadlineMs: diskMs }));
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
