/** Installs k3s's program and systemd units, as its own installer does: one for the server, one for agents; how long a start may take. */
import { type Architecture, architectureOf } from '@skolo/setup/debian';
import {
  type Download,
  differingFiles,
  type Host,
  type LocalFile,
  linesOf,
  type Release,
  type TextFile,
  writeDiffering,
} from '@skolo/setup/engine';
import { imageStoreUnit, k3sPlace, nodeCheckFiles } from './image-store-check.ts';
import { lastResort, networkFile, networkScript, networkScriptFile } from './node-network.ts';
import { k3sSums, k3sVersion } from './version.ts';

export const binary = '/usr/local/bin/k3s';
const releases = 'https://github.com/k3s-io/k3s/releases/download';
/** Includes importing images and creating the database. */
export const startMs = 600_000;

export interface K3sOptions {
  version: string;
  download: Download;
}

/** Names of architectures in a k3s release. Source: `setup_verify_arch` in its install.sh. */
export const platforms: Record<Architecture, string> = {
  amd64: 'amd64',
  arm64: 'arm64',
  armhf: 'arm',
};

/** The k3s release for this architecture. */
export function releaseOf(architecture: Architecture, version: string): Release {
  return {
    name: `k3s-${version}`,
    url: `${releases}/${version}`,
    sums: `sha256sum-${platforms[architecture]}.txt`,
  };
}

/** Undefined if it is missing or incomplete. */
export async function installedVersion(host: Host): Promise<string | undefined> {
  const { stdout } = await host.run(`${binary} --version`);
  return /^k3s version (v\S+)/m.exec(stdout)?.[1];
}

/** The publisher's program for this architecture. @throws ComputerError */
export async function k3sProgram(
  architecture: Architecture,
  options: K3sOptions,
): Promise<LocalFile> {
  const { version, download } = options;
  const name = architecture === 'amd64' ? 'k3s' : `k3s-${architecture}`;
  const known = version === k3sVersion ? k3sSums.get(name) : undefined;
  return await download({ ...releaseOf(architecture, version), known }, name);
}

/** Installs this version of the program. Running processes use the old one until they are restarted. */
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

/** The unit, and the program that it runs first. */
export function unitFiles(role: Role): TextFile[] {
  return [{ path: unitFile(role), content: unitText(role), mode: 0o644 }, networkScriptFile];
}

/** A text for each reason why the unit does not run correctly. */
export async function unitDiffers(host: Host, role: Role): Promise<string[]> {
  const unit = units[role];
  const differs = await differingFiles(host, unitFiles(role));
  const state =
    await host.need(`systemctl is-enabled -q ${unit} 2>/dev/null || echo '${unit} does not start at boot'
systemctl is-active -q ${unit} || echo '${unit} is not running'
case $(systemctl show --value --property=NeedDaemonReload ${unit}) in yes) echo 'systemd has not loaded the new ${unit} yet' ;; esac
[ ! -x ${networkScript} ] || ${networkScript} check`);
  return [...differs, ...linesOf(state)];
}

/** Writes the unit, which starts at the next boot. */
export async function writeUnit(host: Host, role: Role): Promise<void> {
  await writeDiffering(host, unitFiles(role));
  await host.need(`systemctl daemon-reload && systemctl enable --quiet ${units[role]}`);
}

/** Before an upgrade restarts it. The unit of another installer stays. */
export async function renewUnit(host: Host, role: Role): Promise<void> {
  const present = await host.read(unitFile(role));
  if (present?.startsWith(unitHead)) await writeUnit(host, role);
}

/**
 * A script that stops the unit with all its pods, and removes its checks. KillMode=process and the pods' mounts are handled as
 * in the k3s installer's k3s-killall.sh.
 */
export function endUnit(role: Role): string {
  const unit = units[role];
  return `systemctl disable --now ${unit} 2>/dev/null
systemctl kill --kill-whom=all --signal=SIGKILL ${unit} 2>/dev/null
rm -f ${[...nodeCheckFiles(k3sPlace), networkScriptFile].map(({ path }) => path).join(' ')}
ip link delete ${lastResort} 2>/dev/null
for each in /sys/fs/cgroup/kubepods*/cgroup.kill; do if [ -e "$each" ]; then echo 1 > "$each"; fi; done
awk '$2 ~ "^/(run/k3s|var/lib/kubelet|run/netns/cni-)" { print $2 }' /proc/self/mounts | sort -r | while read -r each; do umount -l "$each"; done`;
}

/** A script that writes the last errors in the unit's log to standard error, or its last lines if there are none. */
export function lastErrors(role: Role): string {
  return `log=$(journalctl -u ${units[role]} -n 20 -o cat --no-pager)
  { printf '%s\\n' "$log" | grep -E 'level=(fatal|error)' || printf '%s\\n' "$log"; } | tail -n 2 >&2`;
}

/** A shell function, `is_failing`: from now on, systemd has restarted the unit three times because it exited, and would not stop. */
export function isFailing(role: Role): string {
  return `restarts() { systemctl show --value --property=NRestarts ${units[role]}; }
first=$(restarts)
is_failing() { [ "$(restarts)" -ge $((first + 3)) ]; }`;
}

const unitHead = '# Written by skolo';

/** The unit that the k3s installer creates, with the same settings, because k3s's documentation relies on them. */
function unitText(role: Role): string {
  return `${unitHead}, modelled on the unit of the k3s installer.
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
ExecStartPre=${networkScript} start
EnvironmentFile=-${networkFile}
ExecStart=${binary} ${role} --flannel-iface \${SKOLO_FLANNEL_IFACE}
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
