/** The program of k3s and its units, as its own installer leaves them: one for the server, one for agents. */
import {
  type Architecture,
  architectureOf,
  type Download,
  differingFiles,
  type Host,
  type LocalFile,
  linesOf,
  type Release,
  writeDiffering,
} from '@skolo/computers';
import { imageStoreUnit, k3sPlace, nodeCheckFiles } from './image-store-check.ts';
import { k3sSums, k3sVersion } from './version.ts';

export const binary = '/usr/local/bin/k3s';
const releases = 'https://github.com/k3s-io/k3s/releases/download';
/** Images are imported, and the database is made. */
export const startMs = 600_000;

export interface K3sOptions {
  version: string;
  download: Download;
}

/** Names of architectures in a release of k3s. Source: `setup_verify_arch` of its install.sh. */
export const platforms: Record<Architecture, string> = {
  amd64: 'amd64',
  arm64: 'arm64',
  armhf: 'arm',
};

/** The release of k3s for these programs. */
export function releaseOf(architecture: Architecture, version: string): Release {
  return {
    name: `k3s-${version}`,
    url: `${releases}/${version}`,
    sums: `sha256sum-${platforms[architecture]}.txt`,
  };
}

/** Its name in the release. */
function binaryOf(architecture: Architecture): string {
  return architecture === 'amd64' ? 'k3s' : `k3s-${architecture}`;
}

/** Undefined where there is none, or half of one. */
export async function installedVersion(host: Host): Promise<string | undefined> {
  const { stdout } = await host.run(`${binary} --version`);
  return /^k3s version (v\S+)/m.exec(stdout)?.[1];
}

/** The program for these programs, as its publisher made it. @throws ComputerError */
export async function k3sProgram(
  architecture: Architecture,
  options: K3sOptions,
): Promise<LocalFile> {
  const { version, download } = options;
  const name = binaryOf(architecture);
  const known = version === k3sVersion ? k3sSums.get(name) : undefined;
  return await download({ ...releaseOf(architecture, version), known }, name);
}

/** Puts the program of this version there. What runs goes on with the old one until it is started again. */
export async function installBinary(host: Host, options: K3sOptions): Promise<void> {
  const content = await k3sProgram(await architectureOf(host), options);
  await host.write({ path: binary, content, mode: 0o755 });
}

export type Role = 'server' | 'agent';

export const units: Record<Role, string> = {
  server: 'k3s.service',
  agent: 'k3s-agent.service',
};

export function unitFile(role: Role): string {
  return `/etc/systemd/system/${units[role]}`;
}

/** What keeps the unit from running as it has to, a text for each. */
export async function unitDiffers(host: Host, role: Role): Promise<string[]> {
  const unit = units[role];
  const differs = await differingFiles(host, [{ path: unitFile(role), content: unitText(role) }]);
  const state =
    await host.need(`systemctl is-enabled -q ${unit} 2>/dev/null || echo '${unit} does not start at boot'
systemctl is-active -q ${unit} || echo '${unit} is not running'
case $(systemctl show --value --property=NeedDaemonReload ${unit}) in yes) echo 'systemd has not loaded the new ${unit} yet' ;; esac`);
  return [...differs, ...linesOf(state)];
}

/** Writes the unit. It starts with the computer, and not yet. */
export async function writeUnit(host: Host, role: Role): Promise<void> {
  await writeDiffering(host, [{ path: unitFile(role), content: unitText(role) }]);
  await host.need(`systemctl daemon-reload && systemctl enable --quiet ${units[role]}`);
}

/**
 * A script that ends the unit with all its pods, and removes the check of their images. KillMode=process and the pods' mounts: as
 * the installer of k3s does in k3s-killall.sh.
 */
export function endUnit(role: Role): string {
  const unit = units[role];
  return `systemctl disable --now ${unit} 2>/dev/null
systemctl kill --kill-whom=all --signal=SIGKILL ${unit} 2>/dev/null
rm -f ${nodeCheckFiles(k3sPlace)
    .map(({ path }) => path)
    .join(' ')}
for each in /sys/fs/cgroup/kubepods*/cgroup.kill; do if [ -e "$each" ]; then echo 1 > "$each"; fi; done
awk '$2 ~ "^/(run/k3s|var/lib/kubelet|run/netns/cni-)" { print $2 }' /proc/self/mounts | sort -r | while read -r each; do umount -l "$each"; done`;
}

/** A script that writes the last errors of the unit's log to standard error, or its last lines if they name none. */
export function lastErrors(role: Role): string {
  return `log=$(journalctl -u ${units[role]} -n 20 -o cat --no-pager)
  { printf '%s\\n' "$log" | grep -E 'level=(fatal|error)' || printf '%s\\n' "$log"; } | tail -n 2 >&2`;
}

/** A function of a shell, `is_failing`: since here, systemd has started the unit three times because it ended. It would not stop. */
export function isFailing(role: Role): string {
  return `restarts() { systemctl show --value --property=NRestarts ${units[role]}; }
first=$(restarts)
is_failing() { [ "$(restarts)" -ge $((first + 3)) ]; }`;
}

/** The unit that the installer of k3s makes, with the same settings: k3s' documents rely on them. */
export function unitText(role: Role): string {
  return `# Written by skolo, modelled on the unit of the k3s installer.
[Unit]
Description=Lightweight Kubernetes
Documentation=https://k3s.io
Wants=network-online.target ${imageStoreUnit}
After=network-online.target

[Service]
Type=${role === 'server' ? 'notify' : 'exec'}
EnvironmentFile=-/etc/default/%N
EnvironmentFile=-/etc/sysconfig/%N
EnvironmentFile=-/etc/systemd/system/%N.service.env
ExecStartPre=-/sbin/modprobe br_netfilter
ExecStartPre=-/sbin/modprobe overlay
ExecStart=${binary} ${role}
# Pods keep running while k3s restarts.
KillMode=process
Delegate=yes
User=root
LimitNOFILE=1048576
LimitNPROC=infinity
LimitCORE=infinity
TasksMax=infinity
TimeoutStartSec=0
Restart=always
RestartSec=5s

[Install]
WantedBy=multi-user.target
`;
}
