/** A root file system in a directory, as root. Programs in it run without systemd. */
import { spawn } from 'node:child_process';
import { type Host, openHost } from './host.ts';

/** Arguments of unshare: mounts and processes end with the program, even if it is killed. */
export const apart = [
  ...['--mount', '--propagation', 'private'],
  ...['--pid', '--fork', '--kill-child', '--mount-proc'],
];

/** systemctl writes links without affecting this computer's units. */
const enter = `set -e
mount --rbind /dev "$1/dev"
mount -t proc proc "$1/proc"
exec chroot "$1" /usr/bin/env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root SYSTEMD_OFFLINE=1 sh -c "$2"`;

export async function openRootFolder(
  { name, root }: { name: string; root: string },
  signal: AbortSignal,
): Promise<Host> {
  return await openHost({
    name,
    signal,
    async start(command) {
      const args = [...apart, 'sh', '-c', enter, 'sh', root, command];
      return spawn('unshare', args, { stdio: 'pipe' });
    },
  });
}
