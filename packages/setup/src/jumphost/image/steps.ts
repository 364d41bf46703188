/** Steps of an image: a jumphost's steps that are the same in all racks, the boot loader, and the removal of its identity. */

import { journalStep, nodeStep, packagesStep, sshFile, updatesStep } from '@skolo/setup/debian';
import { checkByScript, type Download, fileStep, type Step } from '@skolo/setup/engine';
import {
  binary,
  imagesStep,
  installBinary,
  installedVersion,
  type K3sOptions,
} from '@skolo/setup/k3s';
import { packagesOf } from '../steps/packages.ts';
import { type ProgramSources, programsStep } from '../steps/programs.ts';
import { bootStep } from './boot.ts';
import { firstBootStep } from './first-boot.ts';

/** Everything that `prepare` installs for any overlay, because it may have no internet connection. */
export const jumphostPackages: readonly string[] = packagesOf({ hasNfs: true });

interface ImageNeeds {
  download: Download;
  sources: ProgramSources;
  k3sVersion: string;
  /** A file of our images, from save-images. */
  ownImages?: string | undefined;
}

/** For a root file system in a directory. Only skolo's first-boot unit starts at boot. */
export function imageSteps({ download, sources, k3sVersion, ownImages }: ImageNeeds): Step[] {
  const k3s = { version: k3sVersion, download };
  return [
    packagesStep(jumphostPackages),
    nfsOffStep,
    journalStep('disk'),
    updatesStep(),
    nodeStep(download),
    keysOnlyStep,
    programsStep(sources),
    imagesStep(k3s, { own: ownImages, rack: 'image' }),
    k3sProgramStep(k3s),
    bootStep,
    firstBootStep(),
    anonymousStep,
  ];
}

/** Like a jumphost's step, but without a session that could be locked out. */
const keysOnlyStep = fileStep({
  name: 'ssh',
  about: 'sshd accepts only key authentication',
  files: [sshFile('prohibit-password')],
  activate: 'mkdir -p /run/sshd && ssh-keygen -q -A && sshd -t',
});

/** Units that Debian starts at boot. A jumphost's `nfs` step enables those that it requires. */
const nfsUnits = ['nfs-server.service', 'rpcbind.service', 'rpcbind.socket'];

const nfsOffStep: Step = {
  name: 'nfs',
  about: 'the NFS server stays off until `prepare` enables it',
  check: checkByScript(`for each in ${nfsUnits.join(' ')}; do
  ! systemctl is-enabled -q $each 2>/dev/null || echo "$each starts at boot"
done`),
  async apply(host) {
    await host.need(`systemctl disable --quiet ${nfsUnits.join(' ')}`);
  },
};

/** Only the program, because without settings, k3s would create its own cluster. */
function k3sProgramStep(k3s: K3sOptions): Step {
  return {
    name: 'k3s',
    about: `${binary} is installed (${k3s.version} if newly installed)`,
    async check(host) {
      const note = await installedVersion(host);
      return note === undefined ? { differs: [`${binary} is missing`] } : { differs: [], note };
    },
    apply: (host) => installBinary(host, k3s),
  };
}

/** Files that identify a computer or a person. systemd creates a machine ID at the first boot if the file is empty. */
const known = [
  ...['/etc/ssh/ssh_host_*', '/root/.ssh', '/etc/hostname', '/etc/resolv.conf'],
  ...['/var/lib/systemd/random-seed', '/var/lib/systemd/credential.secret'],
  ...['/var/lib/dbus/machine-id', '/etc/skolo/identity', '/root/.bash_history'],
  // Files left by the build.
  ...['/var/lib/apt/lists/*', '/var/cache/apt/archives/*.deb', '/var/log/*.log', '/var/log/apt/*'],
  ...['/run/*', '/tmp/*'],
];

const anonymousStep: Step = {
  name: 'anonymous',
  about: 'the image does not contain a host name, machine ID, host keys or random seed',
  check:
    checkByScript(`for each in ${known.join(' ')}; do [ ! -e "$each" ] && [ ! -L "$each" ] || echo "$each exists"; done
[ ! -s /etc/machine-id ] || echo '/etc/machine-id is not empty'
[ -e /etc/machine-id ] || echo '/etc/machine-id is missing'`),
  async apply(host) {
    await host.need(`rm -rf ${known.join(' ')} && : > /etc/machine-id`);
  },
};
