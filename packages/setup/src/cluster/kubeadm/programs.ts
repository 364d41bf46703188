/** Installs the prerequisites of a computer in a kubeadm cluster, and decides how much memory it must have. */
import { lazily } from '@skolo/base';
import { aptScript, installDeadlineMs, packagesStep, systemStep } from '@skolo/setup/debian';
import {
  differingFiles,
  type FileContent,
  fileStep,
  type Host,
  linesOf,
  type Step,
  writeDiffering,
} from '@skolo/setup/engine';
import { debianPlace, imageStoreUnit, nodeCheckFiles, type Role } from '@skolo/setup/k3s';
import { swapStep } from '@skolo/setup/pi';
import { type PlanDeps, type Programs, placeOf } from '../distribution.ts';
import { keyRelease, minorOf, pauseImage } from './versions.ts';

const gib = 1024 ** 3;
/** The minimum for `kubeadm init`. Source: kubernetes, cmd/kubeadm/app/constants, ControlPlaneMem. */
const serverBytes = 1700 * 1024 ** 2;
const agentBytes = 0.7 * gib;
/** They have the cluster's version, and change only with it. */
const versioned = ['kubelet', 'kubeadm', 'kubectl'];
/** cri-tools and kubernetes-cni have their own versions, and are installed as dependencies. */
export const held = [...versioned, 'cri-tools', 'kubernetes-cni'];
/** Debian packages: the runtime, and programs that kubeadm's checks require. */
const debianPackages = ['ca-certificates', 'conntrack', 'containerd', 'ethtool', 'iptables'];

export const ownFiles = {
  keyring: '/etc/apt/keyrings/kubernetes-apt-keyring.asc',
  source: '/etc/apt/sources.list.d/kubernetes.list',
  modules: '/etc/modules-load.d/skolo-kubernetes.conf',
  sysctl: '/etc/sysctl.d/90-skolo-kubernetes.conf',
};

export function deploySteps(
  { version }: Programs,
  { download, now }: Pick<PlanDeps, 'download' | 'now'>,
  role?: Role,
): Step[] {
  return [
    architectureStep(),
    systemStep({
      architectures: ['amd64', 'arm64'],
      freeBytes: 4 * gib,
      memoryBytes: role === 'server' ? serverBytes : agentBytes,
      now,
    }),
    swapStep(),
    kernelStep(),
    packagesStep(debianPackages),
    containerdStep(),
    sourceStep({ version, download }),
    programsStep(version),
  ];
}

/** Version of kubeadm on the computer: `v1.34.8`. */
export async function installedVersion(host: Host): Promise<string | undefined> {
  const { stdout } = await host.run('kubeadm version -o short');
  return /^v\S+/.exec(stdout)?.[0];
}

function architectureStep(): Step {
  return {
    name: 'architecture',
    about: '64-bit system',
    async check(host) {
      const own = (await host.need('dpkg --print-architecture')).trim();
      if (own === 'amd64' || own === 'arm64') return { differs: [], note: own };
      return {
        differs: [
          `the architecture is ${own}, but kubeadm requires amd64 or arm64; install a 64-bit system, or omit --kubeadm to use k3s, which also supports 32-bit nodes`,
        ],
      };
    },
  };
}

const sysctls = {
  'net.bridge.bridge-nf-call-iptables': 1,
  'net.bridge.bridge-nf-call-ip6tables': 1,
  'net.ipv4.ip_forward': 1,
};

function kernelStep(): Step {
  const { modules, sysctl } = ownFiles;
  const lines = Object.entries(sysctls).map(([key, value]) => `${key} = ${value}\n`);
  return fileStep({
    name: 'kernel',
    about: 'the kernel filters and forwards pod traffic',
    files: [
      { path: modules, content: 'overlay\nbr_netfilter\n' },
      { path: sysctl, content: lines.join('') },
    ],
    activate: `modprobe -a overlay br_netfilter\nsysctl -q -p ${sysctl}`,
    verify: `grep -qw overlay /proc/filesystems || echo 'the kernel does not support overlay'
${Object.entries(sysctls)
  .map(
    ([key, value]) =>
      `[ "$(sysctl -n ${key} 2>/dev/null)" = ${value} ] || echo '${key} is not ${value}'`,
  )
  .join('\n')}`,
  });
}

/**
 * Debian's own file sets the plugin directory to /usr/lib/cni, but those of kubernetes-cni and flannel are in /opt/cni/bin. systemd
 * counts the memory of all pods, like the kubelet. Both containerd 1.6 in Debian 12 and 1.7 in Debian 13 support version 2 of the file.
 */
const containerdConfig = `# Written by skolo, for kubeadm.
version = 2

[plugins."io.containerd.internal.v1.opt"]
  path = "/var/lib/containerd"

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${pauseImage}"
  # Images survive a power cut. containerd 1.6 ignores it.
  image_pull_with_sync_fs = true

[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "/opt/cni/bin"
  conf_dir = "/etc/cni/net.d"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
  SystemdCgroup = true
`;

/** containerd 1.6 cannot protect images from a power cut, so damaged ones are removed before it starts. */
export const imageStoreFiles = [
  {
    path: '/etc/systemd/system/containerd.service.d/skolo.conf',
    content: `# Written by skolo.\n[Unit]\nWants=${imageStoreUnit}\n`,
  },
  ...nodeCheckFiles(debianPlace),
];

function containerdStep(): Step {
  return fileStep({
    name: 'containerd',
    about: 'containerd is running with systemd cgroups, and checks its images after a power cut',
    files: [{ path: '/etc/containerd/config.toml', content: containerdConfig }, ...imageStoreFiles],
    activate:
      'systemctl daemon-reload\nsystemctl enable -q containerd.service\nsystemctl restart containerd.service',
    verify: `systemctl is-active -q containerd.service || echo 'containerd is not running'`,
  });
}

/** The apt source for packages of this minor version, and the only key that is accepted for them. */
function sourceStep({ version, download }: Programs & Pick<PlanDeps, 'download'>): Step {
  const minor = minorOf(version);
  const { keyring, source } = ownFiles;
  const release = keyRelease(minor);
  const wanted = lazily(
    async (): Promise<FileContent[]> => [
      { path: keyring, content: await download(release, 'Release.key') },
      { path: source, content: `deb [signed-by=${keyring}] ${release.url}/ /\n` },
    ],
  );
  return {
    name: 'source',
    about: `the package source for Kubernetes ${minor} is configured with its publisher's key`,
    check: async (host) => ({ differs: await differingFiles(host, await wanted()) }),
    apply: async (host) => writeDiffering(host, await wanted()),
  };
}

function programsStep(version: string): Step {
  const plain = version.slice(1);
  return {
    name: 'programs',
    about: `${versioned.join(', ')} ${version}, excluded from Debian updates`,
    async check(host) {
      const found = await packagesOf(host);
      const isPart = (await placeOf(host)) !== undefined;
      const differs = held.flatMap((name) => {
        const { version, isHeld } = found.get(name) ?? {};
        if (version === undefined) return [`${name} is not installed`];
        // The version in a cluster stays. Packages have their own revision: 1.34.8-1.1.
        const isOther = versioned.includes(name) && !isPart && !version.startsWith(`${plain}-`);
        if (isOther) return [`${name} is ${version}`];
        return isHeld ? [] : [`apt would upgrade ${name}, because the package is not held`];
      });
      return { differs, note: found.get('kubeadm')?.version ?? '' };
    },
    async apply(host) {
      const found = await packagesOf(host);
      const isPart = (await placeOf(host)) !== undefined;
      const isThere = held.every((name) => found.get(name)?.version !== undefined);
      if (!isPart || !isThere) {
        const names = versioned.map((name) => `${name}=${plain}-*`);
        const how = [
          '--allow-change-held-packages',
          '--allow-downgrades',
          '--no-install-recommends',
        ];
        const install = aptScript('install', ...how, ...names, 'cri-tools', 'kubernetes-cni');
        await host.need(install, { deadlineMs: installDeadlineMs });
      }
      await host.need(`apt-mark hold ${held.join(' ')}\nsystemctl enable -q kubelet.service`);
    },
  };
}

async function packagesOf(host: Host): Promise<Map<string, { version: string; isHeld: boolean }>> {
  const format = `\${Package} \${Version} \${db:Status-Want} \${db:Status-Status}\\n`;
  const { stdout } = await host.run(`dpkg-query -W -f '${format}' ${held.join(' ')} 2>/dev/null`);
  return new Map(
    linesOf(stdout).flatMap((line) => {
      const [name = '', version = '', want, status] = line.split(' ');
      return status === 'installed' ? [[name, { version, isHeld: want === 'hold' }] as const] : [];
    }),
  );
}
