/** k3s, as its own installer leaves it: settings, images, binary, unit. */
import { isDeepStrictEqual } from 'node:util';
import type { Rack } from '@skolo/rack';
import { Document, isMap, parseDocument } from 'yaml';
import { type Download, localFile, type Release } from '../downloads.ts';
import { JumphostError } from '../errors.ts';
import { differingFiles, linesOf, writeDiffering } from '../files.ts';
import type { FileContent, Host } from '../host.ts';
import type { Step } from '../step.ts';
import { type Architecture, architectureOf } from './system.ts';

export const config = '/etc/rancher/k3s/config.yaml';
const images = '/var/lib/rancher/k3s/agent/images';
export const binary = '/usr/local/bin/k3s';
const unit = '/etc/systemd/system/k3s.service';
const releases = 'https://github.com/k3s-io/k3s/releases/download';
export const binaries: Record<Architecture, string> = { amd64: 'k3s', arm64: 'k3s-arm64' };
/** Images are imported, and the database is made. */
export const startMs = 600_000;

export interface K3sOptions {
  version: string;
  download: Download;
  /** Where versions are published. */
  url?: string;
}

/** The release of k3s for these programs. */
export function releaseOf(
  architecture: Architecture,
  { version, url = releases }: K3sOptions,
): Release {
  return {
    name: `k3s-${version}`,
    url: `${url}/${version}`,
    sums: `sha256sum-${architecture}.txt`,
  };
}

/** Of `skolo secrets`. */
const tokenFile = '/etc/rancher/k3s/token';

/**
 * Keys that a jumphost has to have, and lists that have to contain these. kube/README.md has the reasons.
 *
 * @param state of the cluster: what it was made with cannot be changed later
 */
function settingsOf(
  { jumphost }: Rack,
  { isNew, hasToken }: { isNew: boolean; hasToken: boolean },
): Record<string, unknown> {
  return {
    ...(isNew && { 'secrets-encryption': true }),
    ...(isNew && hasToken && { 'token-file': tokenFile }),
    'node-name': jumphost.name,
    'node-ip': jumphost.address,
    'node-label': ['svccontroller.k3s.cattle.io/enablelb=true'],
    'tls-san': [jumphost.name, jumphost.address],
  };
}

/** /etc/rancher/k3s/config.yaml from rack.yaml. Other keys and comments of that file stay. */
export function k3sConfigStep(rack: Rack): Step {
  const merged = async (host: Host) => {
    const text = (await host.read(config)) ?? '';
    const isNew = (await host.run('[ ! -e /var/lib/rancher/k3s/server/db ]')).code === 0;
    const hasToken = (await host.run(`[ -e ${tokenFile} ]`)).code === 0;
    return mergeConfig(host.name, text, settingsOf(rack, { isNew, hasToken }));
  };
  return {
    name: 'k3s-config',
    about: `${config}: encrypted secrets, name and address of rack.yaml`,
    async check(host) {
      const { differs } = await merged(host);
      const { stdout } = await host.run(
        `[ -e /run/skolo-jumphost/k3s-config ] && echo 'k3s has not read its settings yet'`,
      );
      return { differs: [...differs, ...linesOf(stdout)] };
    },
    async apply(host) {
      const { text } = await merged(host);
      await host.need('mkdir -p /run/skolo-jumphost && touch /run/skolo-jumphost/k3s-config');
      await writeDiffering(host, [{ path: config, content: text, mode: 0o600 }]);
      // Pods go on without it.
      await host.need(
        `if systemctl is-active -q k3s.service; then systemctl restart k3s.service; fi && rm -f /run/skolo-jumphost/k3s-config`,
        { deadlineMs: startMs },
      );
    },
  };
}

/** The file with these keys, and what it lacks. @throws JumphostError It is no map of YAML. */
export function mergeConfig(host: string, text: string, wanted: Record<string, unknown>) {
  const document = text.trim() === '' ? new Document({}) : parseDocument(text);
  if (document.errors.length > 0 || !isMap(document.contents)) {
    throw new JumphostError('STEP', `${host}: ${config} is not valid; correct it there`);
  }
  const differs: string[] = [];
  const before = document.toJS() as Record<string, unknown>;
  for (const [key, value] of Object.entries(wanted)) {
    const has = before[key];
    const given = Array.isArray(value) ? [...new Set([...asList(has), ...value])] : value;
    if (isDeepStrictEqual(Array.isArray(value) ? asList(has) : has, given)) continue;
    differs.push(`${config} ${key}: ${has === undefined ? 'is missing' : 'is another one'}`);
    document.set(key, given);
  }
  return { differs, text: document.toString() };
}

function asList(value: unknown): unknown[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value : [value];
}

/** Images on the disk, for a start without the uplink: those of k3s, and ours if a file of them is given. */
export function imagesStep(
  options: K3sOptions,
  { own, rack }: { own: string | undefined; rack: string },
): Step {
  let files: Promise<FileContent[]> | undefined;
  const wanted = (host: Host) => {
    files ??= imageFiles(host, options, own, rack);
    return files;
  };
  return {
    name: 'images',
    about: `images of k3s${own === undefined ? '' : ' and of skolo'} in ${images}`,
    check: async (host) => ({ differs: await differingFiles(host, await wanted(host)) }),
    async apply(host) {
      await writeDiffering(host, await wanted(host));
      // With it, k3s imports only what has changed.
      await host.need(`touch ${images}/.cache.json`);
    },
  };
}

async function imageFiles(
  host: Host,
  options: K3sOptions,
  own: string | undefined,
  rack: string,
): Promise<FileContent[]> {
  const architecture = await architectureOf(host);
  const running = await installedVersion(host);
  const release = releaseOf(architecture, { ...options, version: running ?? options.version });
  const name = `k3s-airgap-images-${architecture}.tar.zst`;
  const ofK3s = { path: `${images}/${name}`, content: await options.download(release, name) };
  if (own === undefined) return [ofK3s];
  const end = own.endsWith('.zst') ? 'tar.zst' : 'tar';
  return [ofK3s, { path: `${images}/skolo-${rack}.${end}`, content: await localFile(own) }];
}

/** Undefined where there is none, or half of one. */
export async function installedVersion(host: Host): Promise<string | undefined> {
  const { stdout } = await host.run(`${binary} --version`);
  return /^k3s version (v\S+)/m.exec(stdout)?.[1];
}

/** The server, running. A version that is there stays. */
export function k3sStep(options: K3sOptions): Step {
  return {
    name: 'k3s',
    about: `k3s, ${options.version} where there is none, answers`,
    async check(host) {
      const version = await installedVersion(host);
      if (version === undefined) return { differs: [`${binary} is missing`] };
      const differs = await differingFiles(host, [{ path: unit, content: unitFor('server') }]);
      const state =
        await host.need(`systemctl is-enabled -q k3s.service 2>/dev/null || echo 'k3s.service does not start with the computer'
systemctl is-active -q k3s.service || echo 'k3s.service does not run'
case $(systemctl show --value --property=NeedDaemonReload k3s.service) in yes) echo 'systemd has not read k3s.service yet' ;; esac`);
      const lines = [...differs, ...linesOf(state)];
      if (lines.length > 0) return { differs: lines };
      const why = await whyNotReady(host);
      return {
        differs: why === undefined ? [] : [`the API server is not ready: ${why}`],
        note: version,
      };
    },
    async apply(host) {
      if ((await installedVersion(host)) === undefined) {
        const architecture = await architectureOf(host);
        const content = await options.download(
          releaseOf(architecture, options),
          binaries[architecture],
        );
        await host.write({ path: binary, content, mode: 0o755 });
      }
      await writeDiffering(host, [
        { path: unit, content: unitFor('server') },
        ...((await host.read(`${unit}.env`)) === undefined
          ? [{ path: `${unit}.env`, content: '', mode: 0o600 }]
          : []),
      ]);
      await host.need(
        `for each in kubectl crictl ctr; do command -v "$each" > /dev/null || ln -sf k3s "/usr/local/bin/$each"; done
systemctl daemon-reload && systemctl enable --quiet k3s.service && systemctl start k3s.service || {
  journalctl -u k3s.service -n 20 -o cat --no-pager | grep -E 'level=(fatal|error)' | tail -n 2 >&2
  echo 'k3s does not start; journalctl -u k3s there says why' >&2; exit 1; }
rm -f /run/skolo-jumphost/k3s-config`,
        { deadlineMs: startMs },
      );
      await host.need(
        `left=150; until ${ready} > /dev/null 2>&1 || [ "$left" = 0 ]; do left=$((left - 1)); sleep 2; done`,
        { deadlineMs: startMs },
      );
    },
  };
}

const ready = `timeout 10 ${binary} kubectl get --raw /readyz`;

async function whyNotReady(host: Host): Promise<string | undefined> {
  const { code, stderr } = await host.run(ready);
  return code === 0 ? undefined : stderr.split('\n').at(-1) || 'it does not answer';
}

/** The unit that the installer of k3s makes, with the same settings: k3s' documents rely on them. */
export function unitFor(command: 'server' | 'agent'): string {
  return `# Written by skolo, as the installer of k3s does.
[Unit]
Description=Lightweight Kubernetes
Documentation=https://k3s.io
Wants=network-online.target
After=network-online.target

[Service]
Type=${command === 'server' ? 'notify' : 'exec'}
EnvironmentFile=-/etc/default/%N
EnvironmentFile=-/etc/sysconfig/%N
EnvironmentFile=-/etc/systemd/system/%N.service.env
ExecStartPre=-/sbin/modprobe br_netfilter
ExecStartPre=-/sbin/modprobe overlay
ExecStart=${binary} ${command}
# Pods go on while k3s is started again.
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
