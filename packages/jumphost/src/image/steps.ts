/** Steps of an image: those of a jumphost that are alike in all racks, what starts it, and nothing by which it is known. */

import {
  checkByScript,
  type Download,
  fileStep,
  journalStep,
  nodeStep,
  packagesStep,
  type Step,
  sshFile,
  updatesStep,
} from '@skolo/computers';
import { binary, imagesStep, installBinary, installedVersion, type K3sOptions } from '@skolo/k3s';
import { packagesOf } from '../steps/packages.ts';
import { type ProgramSources, programsStep } from '../steps/programs.ts';
import { bootStep } from './boot.ts';
import { firstBootStep } from './first-boot.ts';

/** All that `prepare` installs, whatever the overlay has: it may find no internet connection. */
export const jumphostPackages: readonly string[] = packagesOf({ hasNfs: true });

interface ImageNeeds {
  download: Download;
  sources: ProgramSources;
  k3sVersion: string;
  /** A file of our images, from save-images. */
  ownImages?: string | undefined;
}

/** For a root file system in a folder. Nothing of skolo starts with the computer but its first boot. */
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

/** As the step of a jumphost, without a session that could be locked out. */
const keysOnlyStep = fileStep({
  name: 'ssh',
  about: 'sshd accepts only key authentication',
  files: [sshFile('prohibit-password')],
  activate: 'mkdir -p /run/sshd && ssh-keygen -q -A && sshd -t',
});

/** That Debian starts with the computer. The step `nfs` of a jumphost turns on what it needs. */
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

/** Only the program: without settings k3s would begin a cluster of its own. */
function k3sProgramStep(k3s: K3sOptions): Step {
  return {
    name: 'k3s',
    about: `${binary} is installed (${k3s.version} if new)`,
    async check(host) {
      const note = await installedVersion(host);
      return note === undefined ? { differs: [`${binary} is missing`] } : { differs: [], note };
    },
    apply: (host) => installBinary(host, k3s),
  };
}

/** By which a computer, or a person, would be known. systemd makes an id at the first start where the file is empty. */
const known = [
  ...['/etc/ssh/ssh_host_*', '/root/.ssh', '/etc/hostname', '/etc/resolv.conf'],
  ...['/var/lib/systemd/random-seed', '/var/lib/systemd/credential.secret'],
  ...['/var/lib/dbus/machine-id', '/etc/skolo/identity', '/root/.bash_history'],
  // What the build has left.
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
