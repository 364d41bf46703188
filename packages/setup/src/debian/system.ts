/** Decides whether a computer can be set up at all: system, architecture, clock, memory, free disk space. */
import { script } from '@skolo/base';
import { factsIn, type Host, linesOf, type Step } from '@skolo/setup/engine';
import { z } from 'zod';

interface SystemNeeds {
  /** Architecture of its programs. */
  architectures: readonly Architecture[];
  /** Directories of k3s and our state, before k3s has filled them. */
  freeBytes: number;
  /** Size of the disk, as sold: 1 GB is 1e9 bytes. Partitions and the file system may take 15%. Default: any. */
  diskGb?: number;
  memoryBytes: number;
  /** Ubuntu is also accepted, because only k3s is installed. */
  hasUbuntu?: true;
  /** This workstation's time, in milliseconds since 1970. */
  now(): number;
}

/** Between the clocks of the workstation and the computer. Certificates and tokens tolerate minutes. */
const mostSkewSeconds = 120;
const mib = 1024 * 1024;
/** On a computer that k3s has already filled: space for the images of an upgrade. */
const freeBytesLater = 1024 * mib;
/** k3s evicts pods below 5% (docs.k3s.io, kubelet's `eviction-hard`). */
const leastFreePercent = 10;

const Facts = z.object({
  id: z.string(),
  version: z.string(),
  machine: z.string(),
  kernel: z.string(),
  userland: z.string(),
  init: z.string(),
  time: z.coerce.number(),
  folder: z.string(),
  freeKib: z.coerce.number(),
  /** Of the file systems with these directories; 0: one of them is not on a disk, but for example in memory. */
  diskKib: z.coerce.number(),
  usedPercent: z.coerce.number(),
  isFilled: z.enum(['yes', 'no']),
  memoryKib: z.coerce.number(),
  cgroupMemory: z.enum(['yes', 'no']),
});

/** A shell function, `counts_memory`: whether the kernel counts the memory of cgroups. */
export const countsMemory = `counts_memory() { { cat /sys/fs/cgroup/cgroup.controllers 2>/dev/null; awk '$4 == 1 { print $1 }' /proc/cgroups 2>/dev/null; } | grep -qw memory; }
`;

/** A shell script that prints the facts that {@link judgeSystem} judges. Does not change anything or require root. */
export const systemScript = `${countsMemory}${script(new URL('./system-facts.sh', import.meta.url))}`;

/** dpkg's names. */
const architectures = ['amd64', 'arm64', 'armhf'] as const;
export type Architecture = (typeof architectures)[number];

/** Architecture of its programs. @throws ZodError It is a different one, which `systemStep` has reported. */
export async function architectureOf(host: Host): Promise<Architecture> {
  return z.enum(architectures).parse((await host.need('dpkg --print-architecture')).trim());
}

const findUnusable = script(new URL('./find-unusable.sh', import.meta.url));

export function systemStep(needs: SystemNeeds): Step {
  return {
    name: 'system',
    about: `${systemsOf(needs)} with systemd, enough disk space and memory, and a correct clock`,
    async check(host) {
      const { differs, note } = judgeSystem(await host.need(systemScript), needs);
      return { differs: [...differs, ...linesOf(await host.need(findUnusable))], note };
    },
  };
}

function systemsOf({ hasUbuntu }: SystemNeeds): string {
  return `Debian 12 or 13${hasUbuntu ? ', or Ubuntu 24.04 or newer' : ''}`;
}

/** @param text what {@link systemScript} prints @throws ZodError It is something else. */
export function judgeSystem(text: string, needs: SystemNeeds) {
  const { architectures, freeBytes, diskGb = 0, memoryBytes, hasUbuntu, now } = needs;
  const facts = Facts.parse(factsIn(text));
  const { id, version, userland, init, folder, freeKib, memoryKib } = facts;
  const neededBytes = facts.isFilled === 'yes' ? freeBytesLater : freeBytes;
  const skew = facts.time - now() / 1000;
  const differs: string[] = [];
  const want = (isSo: boolean, what: string) => void (isSo || differs.push(what));
  // The 32-bit Raspberry Pi OS has its own name.
  const isDebian = (id === 'debian' || id === 'raspbian') && /^1[23]$/.test(version);
  const isUbuntu = id === 'ubuntu' && /^(2[4-9]|[3-9]\d)\.\d\d$/.test(version);
  want(
    isDebian || (isUbuntu && hasUbuntu === true),
    `the operating system is ${id} ${version}; install ${systemsOf(needs)}`,
  );
  want(
    architectures.some((each) => each === userland),
    `the architecture is ${userland || 'unknown'} on ${facts.machine}; install Debian for ${architectures.join(' or ')}`,
  );
  want(init === 'systemd', `the init process is ${init}; install systemd-sysv and reboot`);
  const freePercent = 100 - facts.usedPercent;
  want(
    freeKib * 1024 >= neededBytes && freePercent >= leastFreePercent,
    `${folder} has ${Math.floor(freeKib / 1024)} MiB (${freePercent}%) free, but ${neededBytes / mib} MiB and ${leastFreePercent}% are required; free disk space, otherwise the kubelet will evict pods`,
  );
  const hasGb = (facts.diskKib * 1024) / 1e9;
  const isSmall = hasGb > 0 && hasGb < 0.85 * diskGb;
  const disk = `the disk has ${Math.floor(hasGb)} GB, but ${diskGb} GB`;
  // A rack that runs keeps running: its other steps must not depend on a new disk.
  const isLeft = isSmall && facts.isFilled === 'yes';
  want(!isSmall || isLeft, `${disk} are required; install Debian on a larger disk`);
  want(
    memoryKib * 1024 >= memoryBytes,
    `this computer has ${Math.floor(memoryKib / 1024)} MiB of memory, but ${memoryBytes / mib} MiB are required`,
  );
  want(
    facts.cgroupMemory === 'yes',
    'the memory cgroup is disabled, but Kubernetes requires it; on a Raspberry Pi, add cgroup_memory=1 cgroup_enable=memory to /boot/firmware/cmdline.txt and reboot',
  );
  want(
    Math.abs(skew) <= mostSkewSeconds,
    `the clock is ${Math.abs(Math.round(skew))} s ${skew < 0 ? 'behind' : 'ahead of'} your workstation's; if your workstation's clock is correct, run \`date --set @${Math.round(now() / 1000)}\` on this computer`,
  );
  return {
    differs,
    note: `${id === 'ubuntu' ? 'Ubuntu' : 'Debian'} ${version}, ${userland}${isLeft ? `; ${disk} are recommended: replace the jumphost before it is full` : ''}`,
    facts,
  };
}
