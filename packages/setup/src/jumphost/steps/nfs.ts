/**
 * The NFS server of the `nfs` component (Debian's kernel server), and how much disk space it gets. Sources: exports(5), nfs.conf(5),
 * nfs.systemd(7).
 *
 * Its directory is a separate file system, because a client that guesses file handles can reach everything in an export's file system,
 * and any machine may fill it.
 */
import { script, withArguments } from '@skolo/base';
import { type FileContent, fileStep, type Host, type Step, writtenHead } from '@skolo/setup/engine';
import { commandOf } from '../existing/command-of.ts';
import { findExports } from '../existing/find.ts';

export const nfsPackages = ['nfs-kernel-server'];

/** As in kube/components/nfs. */
const folder = '/srv/skolo/nfs';
const image = `${folder}.img`;
const unit = 'srv-skolo-nfs.mount';
const exportsPath = '/etc/exports.d/skolo.exports';
/** User and group of the pod that creates directories for claims, and of all clients. */
const user = 65534;
const leastMib = 1024;

interface NfsNeeds {
  /** Of the jumphost. */
  address: string;
  /** May use it. */
  subnet: string;
}

/** Exports of an existing system stay, served by the same server, as does a disk that somebody has mounted at the directory. */
export function nfsStep(needs: NfsNeeds): Step {
  const name = 'nfs';
  const about = `${folder} is exported to ${needs.subnet} for cluster volumes`;
  async function readExports(host: Host) {
    const exports = await findExports(host);
    const isAlone = exports.length === 0;
    const hasDisk = (await host.need(printDisk)) !== '';
    const step = fileStep({
      name,
      about,
      files: [
        exportsFile(needs.subnet),
        // Clients of an old server may not support newer versions.
        ...(isAlone ? [versionsFile] : []),
        ...(hasDisk ? [] : [mountFile]),
      ],
      activate: `systemctl daemon-reload\n${hasDisk ? '' : enableMount}\n${mountAndServe}`,
      verify: verifyScript(needs, isAlone),
    });
    return { step, exports, hasDisk };
  }
  return {
    name,
    about,
    async check(host) {
      const { step, exports } = await readExports(host);
      const { differs } = await step.check(host);
      return { differs, note: exports.length === 0 ? '' : `also exports ${exports.join('; ')}` };
    },
    async apply(host) {
      const { step, hasDisk } = await readExports(host);
      // The unit is removed after its image, because a disk may still be mounted without one.
      await host.need(`${rejectOther}\n${hasDisk ? '' : makeImage}`, { deadlineMs: 300_000 });
      await step.apply?.(host);
    },
  };
}

/** As text: the export of a rack whose overlay no longer contains the component. Undefined if there is none. */
export async function leftExport(host: Host): Promise<string | undefined> {
  if ((await host.read(exportsPath)) === undefined) return undefined;
  return `${folder} is still exported over NFS, but the overlay does not include the nfs component; when no pod uses it, run rm ${exportsPath} && exportfs -ra`;
}

function exportsFile(subnet: string): FileContent {
  const options = `rw,sync,no_subtree_check,mountpoint,all_squash,anonuid=${user},anongid=${user}`;
  return {
    path: exportsPath,
    content: `${writtenHead}# Put your own exports into /etc/exports.\n${folder} ${subnet}(${options})\n`,
  };
}

const versionsFile = {
  path: '/etc/nfs.conf.d/50-skolo.conf',
  content: `${writtenHead}[nfsd]\nvers2=n\nvers3=n\n`,
};

const mountFile = {
  path: `/etc/systemd/system/${unit}`,
  content: `${writtenHead}[Unit]
Description=skolo: cluster volumes
Documentation=man:systemd.mount(5)
[Mount]
What=${image}
Where=${folder}
Type=ext4
Options=loop,noatime,nosuid,nodev,noexec
[Install]
WantedBy=multi-user.target
`,
};

/** Prints a file system that is not ours and is mounted or should be mounted. */
const printDisk = `if [ ! -e ${image} ]; then
  findmnt -no SOURCE ${folder} || findmnt --fstab -no SOURCE ${folder} || systemctl show -P LoadState ${unit} | grep -x loaded || true
fi`;

/** A server other than the kernel's has a process on the port. */
const otherServer = `${commandOf}pid=$(ss -Hltnp 'sport = :2049' | last_pid | head -n 1)
other=\${pid:+$(command_of "$pid")}`;
const otherText =
  '"the NFS server $other is using port 2049; stop it, or remove the nfs component from the overlay"';

const rejectOther = `${otherServer}
[ -z "$other" ] || { echo ${otherText} >&2; exit 1; }`;

const makeImage = withArguments(
  script(new URL('./make-volumes.sh', import.meta.url)),
  folder,
  image,
  2 * leastMib,
);

const enableMount = `systemctl enable --quiet ${unit}`;

/** Only a change of protocol versions requires a server restart, which blocks clients. */
const mountAndServe = `mountpoint -q ${folder} || systemctl start ${unit}
chown ${user}:${user} ${folder}
chmod 770 ${folder}
systemctl enable --quiet nfs-server.service
if systemctl is-active -q nfs-server.service && ! { [ -e ${versionsFile.path} ] && grep -q '+3' /proc/fs/nfsd/versions; }; then
  exportfs -ra
else
  systemctl restart nfs-server.service
fi`;

/** Its last line queries the server like a machine, in a namespace that ends with the command. */
function verifyScript({ address, subnet }: NfsNeeds, isAlone: boolean): string {
  return `${otherServer}
if [ -n "$other" ]; then echo ${otherText}; exit 0; fi
mountpoint -q ${folder} || { echo '${folder} is not a separate file system; run systemctl status ${unit}'; exit 0; }
if [ -e ${image} ] && [ "$(($(stat -c '%b * %B < %s' ${image})))" = 1 ]; then echo '${image} is sparse, so a full disk would damage it'; fi
[ "$(stat -c '%u:%g %a' ${folder})" = '${user}:${user} 770' ] || echo '${folder} does not have owner and mode ${user}:${user} 770'
systemctl is-enabled -q nfs-server.service 2>/dev/null || echo 'nfs-server.service does not start at boot'
systemctl is-active -q nfs-server.service || { echo 'nfs-server.service is not running; run systemctl status nfs-server'; exit 0; }
${isAlone ? `if grep -q '+3' /proc/fs/nfsd/versions; then echo 'the server still offers NFSv3; run systemctl restart nfs-server'; fi` : ''}
exportfs -s | grep -q '^${folder} *${subnet}(' || { echo '${folder} is not exported to ${subnet}; run exportfs -ra'; exit 0; }
timeout -k 5 30 unshare --mount mount -t nfs4 -o ro,soft,timeo=50,retrans=1 ${address}:${folder} /mnt 2>&1 | tail -n 1`;
}
