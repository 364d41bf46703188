/**
 * Lists the real counterparts (programs) that tests use if they are installed.
 *
 * `node scripts/peers.mjs` prints the installed ones; `--json [NAME…]` what `npm test` passes on as SKOLO_PEERS;
 * `--missing-packages` one line of Debian packages for each missing peer that can be installed; if SKOLO_LONG is set, also for those that
 * only `npm run test:long` uses.
 */
import { execFile, execFileSync } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * @typedef {object} PeerKind
 * @property {string} name that tests ask for
 * @property {string[]} commands to try: names in PATH or absolute paths; the first that works is used
 * @property {string[]} [others] programs that must be there, too
 * @property {string[]} version arguments that make it print its version, and fail if it is unusable
 * @property {string[]} debian packages that install it, and whose programs tests that ask for it may start; none if Debian has none
 * @property {string | undefined} [build] a script below the root and its arguments, which build it if Debian does not package it; with
 * `--path` it prints the result's path
 * @property {boolean} [long] only `npm run test:long` uses it, and it is large: installed for that alone
 * @property {string} proves what is tested against it
 */

/** @type {PeerKind[]} */
export const peerKinds = [
  {
    name: 'openssl',
    commands: ['openssl'],
    version: ['version'],
    debian: ['openssl'],
    proves: 'certificates and keys, as other programs make and read them',
  },
  {
    name: 'nft',
    commands: ['nft', '/usr/sbin/nft'],
    version: ['--version'],
    debian: ['nftables'],
    proves: 'firewall rules, read and applied by the kernel',
  },
  {
    name: 'iptables',
    commands: ['iptables', '/usr/sbin/iptables'],
    others: ['ip6tables', 'iptables-save', 'iptables-restore'],
    version: ['--version'],
    debian: ['iptables'],
    proves: 'rules of kube-proxy and network plugins, beside ours',
  },
  {
    name: 'xz',
    commands: ['xz'],
    version: ['--version'],
    debian: ['xz-utils'],
    proves: 'compressed images, as their makers publish them',
  },
  {
    name: 'gpg',
    commands: ['gpg'],
    others: ['gpgconf', 'gpgv'],
    version: ['--version'],
    debian: ['gpg', 'gpg-agent', 'gpgconf', 'gpgv'],
    proves: 'signatures of base images, as their publishers make them',
  },
  {
    name: 'awk',
    commands: ['awk'],
    version: ['BEGIN { print "1.0" }'],
    debian: ['mawk'],
    proves: 'scripts for hosts, which use it',
  },
  {
    name: 'jq',
    commands: ['jq'],
    version: ['--version'],
    debian: ['jq'],
    proves: 'JSON that commands print, for scripts of people',
  },
  {
    name: 'patch',
    commands: ['patch'],
    version: ['--version'],
    debian: ['patch'],
    proves: 'that a difference leads from one version to the other',
  },
  {
    name: 'fdisk',
    commands: ['sfdisk', '/usr/sbin/sfdisk', '/sbin/sfdisk'],
    version: ['--version'],
    debian: ['fdisk'],
    proves: 'partition tables, as the tools of the system make them',
  },
  {
    name: 'ps',
    commands: ['ps'],
    version: ['--version'],
    debian: ['procps'],
    proves: 'which processes are left',
  },
  {
    name: 'curl',
    commands: ['curl'],
    version: ['--version'],
    debian: ['curl'],
    proves: 'the metadata server, asked as the Swarming configuration file does',
  },
  {
    name: 'python3-google-auth',
    // Debian's module is for Debian's interpreter, which may not be the first one in PATH.
    commands: ['/usr/bin/python3', 'python3'],
    version: [
      '-c',
      'import google.auth, requests; from importlib.metadata import version; print(version("google-auth"))',
    ],
    debian: ['python3-google-auth', 'python3-requests'],
    proves: "the metadata server, asked by Google's Python library",
  },
  {
    name: 'gcloud',
    commands: ['gcloud'],
    version: ['--version'],
    debian: [],
    proves: 'the metadata server, asked by gcloud',
  },
  {
    name: 'promtool',
    commands: ['promtool'],
    version: ['--version'],
    debian: ['prometheus'],
    proves: "the alert rules, read by Prometheus' own parser",
  },
  {
    name: 'prometheus',
    commands: ['prometheus'],
    version: ['--version'],
    debian: ['prometheus'],
    proves: 'alert-to-pubsub, where Prometheus posts its alerts',
  },
  {
    name: 'pstest',
    commands: builtBy('test/build-go pstest'),
    version: ['--version'],
    debian: [],
    build: 'test/build-go pstest',
    proves: "the Pub/Sub sink, and our own embedded Pub/Sub, against Google's in-memory one",
  },
  {
    name: 'wrk',
    commands: ['wrk'],
    // It cannot print its version with exit code 0.
    version: ['-v'],
    debian: ['wrk'],
    proves: 'the benches: load from outside of Node',
  },
  {
    name: 'dnsmasq',
    commands: ['dnsmasq', '/usr/sbin/dnsmasq'],
    version: ['--version'],
    debian: ['dnsmasq-base'],
    proves: 'the names for the router, resolved by what routers run',
  },
  {
    name: 'python3-cryptography',
    commands: ['/usr/bin/python3', 'python3'],
    version: ['-c', 'import cryptography; print(cryptography.__version__)'],
    debian: ['python3-cryptography'],
    proves: 'signatures of requests to agents, by an independent implementation',
  },
  {
    name: 'python3-jsonschema',
    commands: ['/usr/bin/python3', 'python3'],
    version: [
      '-W',
      'ignore',
      '-c',
      'import jsonschema; from importlib.metadata import version; print(version("jsonschema"))',
    ],
    debian: ['python3-jsonschema'],
    proves: 'the JSON Schema of rack.yaml, by an independent judge',
  },
  {
    name: 'ping',
    commands: ['ping'],
    version: ['-V'],
    debian: ['iputils-ping'],
    proves: 'which computers at a cable respond',
  },
  {
    name: 'ip',
    commands: ['ip', '/usr/sbin/ip', '/sbin/ip'],
    others: ['bridge', 'ss', 'tc'],
    version: ['-Version'],
    debian: ['iproute2'],
    proves: "the check of a machine's MAC against the kernel's neighbour table",
  },
  {
    name: 'snmp-tools',
    commands: ['snmpget'],
    others: ['snmpset', 'snmpwalk', 'snmpbulkwalk', 'snmptrap'],
    version: ['-V'],
    debian: ['snmp'],
    proves: 'the simulated SNMP agents, by an independent manager',
  },
  {
    name: 'snmpd',
    commands: ['snmpd', '/usr/sbin/snmpd'],
    version: ['-v'],
    debian: ['snmpd'],
    proves: 'the SNMP drivers, against an independent agent',
  },
  {
    name: 'fence-agents',
    commands: ['fence_apc_snmp', '/usr/sbin/fence_apc_snmp'],
    others: [
      'fence_redfish',
      'fence_eaton_snmp',
      'fence_emerson',
      'fence_intelmodular',
      'fence_ipdu',
      'fence_tripplite_snmp',
    ],
    version: ['-V'],
    debian: ['fence-agents'],
    proves: 'the simulated PDUs and servers, by drivers of somebody else',
  },
  {
    name: 'ipmitool',
    commands: ['ipmitool'],
    version: ['-V'],
    debian: ['ipmitool'],
    proves: 'the driver of servers with IPMI: it is what that one runs',
  },
  {
    name: 'ipmi_sim',
    commands: ['ipmi_sim'],
    // It prints its version, and fails because it has no configuration.
    version: ['-x'],
    debian: ['openipmi'],
    proves: 'the driver of servers with IPMI, against an independent management controller',
  },
  {
    name: 'mosquitto',
    commands: ['mosquitto', '/usr/sbin/mosquitto'],
    version: ['-h'],
    debian: ['mosquitto'],
    proves: 'the driver of MQTT switches, over the broker that people run',
  },
  {
    name: 'mosquitto-clients',
    commands: ['mosquitto_pub'],
    others: ['mosquitto_sub'],
    version: ['--help'],
    debian: ['mosquitto-clients'],
    proves: 'the simulated MQTT switch, by an independent client',
  },
  {
    name: 'sshd',
    commands: ['/usr/sbin/sshd', 'sshd'],
    others: ['ssh-keygen'],
    version: ['-V'],
    debian: ['openssh-server'],
    proves: 'sessions over ssh, against the server that hosts run',
  },
  {
    name: 'ssh',
    commands: ['ssh'],
    others: ['ssh-keygen', 'scp', 'ssh-keyscan'],
    version: ['-V'],
    debian: ['openssh-client'],
    proves: 'the simulated command lines, by an independent client',
  },
  {
    name: 'labgrid',
    commands: ['/usr/bin/python3', 'python3'],
    version: [
      '-c',
      'import labgrid; from importlib.metadata import version; print(version("labgrid"))',
    ],
    debian: ['python3-labgrid'],
    proves: "pdudaemon's API of the power-cycle daemon, by labgrid unchanged",
  },
  {
    name: 'ansible',
    commands: ['ansible-inventory'],
    version: ['--version'],
    debian: ['ansible-core'],
    proves: 'imports of Ansible inventories, with what Ansible makes of the same files',
  },
  {
    name: 'alertmanager',
    commands: ['prometheus-alertmanager', 'alertmanager'],
    version: ['--version'],
    debian: ['prometheus-alertmanager'],
    proves: 'webhooks of alerts, sent and silenced by Alertmanager itself',
  },
  {
    name: 'amtool',
    commands: ['amtool'],
    version: ['--version'],
    debian: ['prometheus-alertmanager'],
    proves: 'alerts and silences, made as people make them',
  },
  {
    name: 'netmiko',
    commands: ['/usr/bin/python3', 'python3'],
    version: ['-W', 'ignore', '-c', 'import netmiko; print(netmiko.__version__)'],
    debian: ['python3-netmiko'],
    proves: 'the simulated switches, by a library that knows their command lines',
  },
  {
    name: 'frr',
    commands: ['/usr/lib/frr/staticd'],
    others: ['zebra', 'bgpd', 'ospfd', 'vtysh', 'ip'],
    version: ['--version'],
    debian: ['frr'],
    proves: 'backup and restore of a router, on a real one',
  },
  {
    name: 'rancid',
    // The other programs are next to it.
    commands: ['/usr/lib/rancid/bin/rancid', 'rancid'],
    version: ['-V'],
    debian: ['rancid'],
    proves: 'the simulated switches, read by the backup software that knows them; the benches',
  },
  {
    name: 'age',
    commands: ['age'],
    others: ['age-keygen'],
    version: ['--version'],
    debian: ['age'],
    proves: 'what leaves the rack encrypted, decrypted by the program that people have',
  },
  {
    name: 'sops',
    commands: ['sops'],
    version: ['--version', '--disable-version-check'],
    // `go install` downloads a gigabyte for it.
    debian: [],
    proves: 'files of secrets, read and written by the program that teams have',
  },
  {
    name: 'mtools',
    commands: ['mcopy'],
    others: ['mdir', 'mtype', 'mkfs.vfat', 'fsck.vfat', 'sfdisk', 'mke2fs', 'debugfs', 'xz'],
    version: ['--version'],
    debian: ['mtools', 'dosfstools', 'fdisk', 'e2fsprogs', 'xz-utils'],
    proves:
      'images of Raspberry Pis: partitions, FAT and ext4 as other programs make and read them',
  },
  {
    name: 'busybox',
    commands: ['busybox'],
    version: ['--help'],
    debian: ['busybox'],
    proves: 'backup and restore of the files of a small Linux, by its own tools',
  },
  {
    name: 'shellcheck',
    commands: ['shellcheck'],
    version: ['--version'],
    debian: ['shellcheck'],
    proves: 'shell scripts: words that split, failures that nothing notices',
  },
  {
    name: 'strace',
    commands: ['strace'],
    version: ['-V'],
    debian: ['strace'],
    proves: 'that the history is synced before a version counts as stored',
  },
  {
    name: 'redfishtool',
    commands: ['redfishtool'],
    version: ['-V'],
    debian: ['redfishtool'],
    proves: "the simulated server with Redfish, by DMTF's own client",
  },
  {
    name: 'pdudaemon',
    commands: ['/usr/sbin/pdudaemon', 'pdudaemon'],
    version: ['--help'],
    debian: ['pdudaemon'],
    proves: 'the benches: the same list of outlets, switched by the daemon that labs run',
  },
  {
    name: 'uhubctl',
    commands: ['uhubctl', '/usr/sbin/uhubctl'],
    version: ['-v'],
    debian: ['uhubctl'],
    proves: 'the options and error texts that the driver of USB hubs relies on',
  },
  {
    name: 'adb',
    commands: ['adb'],
    version: ['version'],
    debian: ['adb'],
    proves: 'the simulated phones, and the agent that asks them, by the client that everybody has',
  },
  {
    name: 'libimobiledevice',
    commands: ['ideviceinfo'],
    others: ['idevice_id', 'idevicediagnostics', 'idevicescreenshot', 'idevicesyslog'],
    version: ['--version'],
    debian: ['libimobiledevice-utils'],
    proves: 'the options and error texts of the simulated tools for iPhones',
  },
  {
    name: 'systemd-nspawn',
    commands: ['systemd-nspawn'],
    others: ['systemd-analyze', 'systemd-run', 'ip', 'iptables', 'openssl'],
    version: ['--version'],
    // The simulated computer boots with this computer's /usr.
    debian: ['systemd-container', 'iproute2', 'iptables', 'openssl'],
    proves: 'the units of deploy/systemd, by a systemd that has booted a computer of its own',
  },
  {
    name: 'python3',
    // The newest one that works.
    commands: [14, 13, 12, 11, 10, 9, 8].map((minor) => `python3.${minor}`).concat('python3'),
    others: ['python3'],
    // Debian's python3-minimal is without most modules.
    version: [
      '-c',
      'import configparser, json, platform, ssl, zipfile, zlib; print(platform.python_version())',
    ],
    debian: ['python3'],
    proves: 'the hooks file of the Swarming bot, and the simulated bot itself',
  },
  {
    name: 'node-exporter',
    commands: ['prometheus-node-exporter', 'node_exporter'],
    version: ['--version'],
    debian: ['prometheus-node-exporter'],
    proves: 'the flags of node-exporter in kube/, and the metrics of hosts that rules ask for',
  },
  {
    name: 'blackbox-exporter',
    commands: ['prometheus-blackbox-exporter', 'blackbox_exporter'],
    version: ['--version'],
    debian: ['prometheus-blackbox-exporter'],
    proves: 'the probes of kube/: ICMP, and TCP to an ssh port',
  },
  {
    name: 'chronyd',
    commands: ['/usr/sbin/chronyd', 'chronyd'],
    others: ['chronyc'],
    version: ['--version'],
    debian: ['chrony'],
    proves: "the configuration of the rack's time server",
  },
  {
    name: 'kubectl',
    // 1.27 or newer, which includes kustomize 5. Debian's is older.
    commands: ['kubectl'],
    version: ['version', '--client'],
    debian: [],
    proves: 'that the overlays of kube/ build, as `kubectl apply -k` builds them',
  },
  {
    name: 'control-plane',
    commands: builtBy('test/build-go control-plane'),
    version: ['version'],
    debian: [],
    build: 'test/build-go control-plane',
    proves:
      'that a real Kubernetes control plane accepts and rolls out the overlays of kube/, and what skolo push makes of a rack',
  },
  {
    name: 'real-node',
    commands: builtBy('test/build-go real-node'),
    others: [
      'containerd',
      'containerd-shim-runc-v2',
      'ctr',
      'runc',
      'ip',
      'iptables',
      'nft',
      'conntrack',
    ],
    version: ['version'],
    debian: [
      'containerd',
      'runc',
      'containernetworking-plugins',
      'iproute2',
      'iptables',
      'nftables',
      'conntrack',
    ],
    build: 'test/build-go real-node',
    proves: 'the images as pods, and NetworkPolicies, on nodes with kubelet and containerd',
  },
  {
    name: 'chromium',
    commands: ['/usr/bin/chromium', 'chromium'],
    version: ['--version'],
    debian: ['chromium'],
    proves: 'the pages of the console, in the browser that most people have',
  },
  {
    name: 'zsh',
    commands: ['zsh'],
    version: ['--version'],
    debian: ['zsh'],
    proves: 'the prompt of `skolo attach`',
  },
  {
    name: 'containerd',
    commands: ['containerd'],
    others: ['ctr', 'containerd-shim-runc-v2', 'runc'],
    version: ['--version'],
    debian: ['containerd'],
    proves:
      'images that a push carries to a rack without an internet connection, and what a power cut does to them',
  },
  {
    name: 'containerd-2',
    commands: builtBy('test/build-go containerd'),
    version: ['--version'],
    debian: [],
    build: 'test/build-go containerd',
    proves: 'the settings of containerd with which images survive a power cut',
  },
  {
    name: 'flannel',
    commands: builtBy('test/build-go flannel'),
    version: ['--version'],
    debian: [],
    build: 'test/build-go flannel',
    proves: 'the interface and the routes that nodes have when k3s starts',
  },
  {
    name: 'network-manager',
    // nmcli is next to it.
    commands: builtBy('test/network-manager/build'),
    others: ['dbus-daemon', 'udevadm'],
    version: ['--version'],
    debian: ['dbus-daemon', 'udev'],
    build: 'test/network-manager/build',
    proves: 'the network profiles of Raspberry Pis, beside a phone that tethers',
  },
  {
    name: 'xfsprogs',
    commands: ['mkfs.xfs', '/usr/sbin/mkfs.xfs'],
    version: ['-V'],
    debian: ['xfsprogs', 'e2fsprogs'],
    proves: 'power cuts: a disk that is copied at one moment',
  },
  {
    name: 'debian',
    // Of the root file system.
    commands: builtBy('test/debian/build bookworm'),
    version: ['--version'],
    debian: ['mmdebstrap', 'systemd-container'],
    build: 'test/debian/build bookworm',
    proves: 'skolo jumphost prepare, from a bare Debian with systemd and sshd on',
  },
  {
    name: 'debian-13',
    commands: builtBy('test/debian/build trixie'),
    version: ['--version'],
    debian: ['mmdebstrap', 'systemd-container'],
    build: 'test/debian/build trixie',
    long: true,
    proves: 'services without Kubernetes, on the Debian after that',
  },
  {
    name: 'cloud-init',
    commands: builtBy('test/cloud-init/build'),
    version: ['--version'],
    debian: [],
    build: 'test/cloud-init/build',
    proves: 'first boot of Raspberry Pis: the schema of cloud-init, and netplan',
  },
  {
    name: 'cloud-init-root',
    // Of the root file system.
    commands: builtBy('test/cloud-init/build-root'),
    version: ['--version'],
    debian: ['mmdebstrap', 'systemd-container'],
    build: 'test/cloud-init/build-root',
    long: true,
    proves: 'first boot of Raspberry Pis, from a Debian with cloud-init on',
  },
  {
    name: 'virt-arm64',
    // A card is next to it. Building it takes up to an hour, so it is never built automatically.
    commands: builtBy('test/cloud-init/build-arm64'),
    version: ['--version'],
    debian: [
      'mmdebstrap',
      'arch-test',
      'qemu-user-static',
      'qemu-system-arm',
      'mtools',
      'dosfstools',
    ],
    long: true,
    proves: 'the first start of a card for arm64, on a computer that QEMU emulates',
  },
  {
    name: 'virt-amd64',
    // A disk is next to it.
    commands: builtBy('test/debian/build-amd64'),
    version: ['--version'],
    debian: ['mmdebstrap', 'qemu-system-x86', 'fdisk', 'e2fsprogs'],
    build: 'test/debian/build-amd64',
    long: true,
    proves: 'that a jumphost which hangs comes back, with a kernel and a watchdog of its own',
  },
  {
    name: 'dockerd',
    commands: ['/usr/sbin/dockerd', 'dockerd'],
    others: [
      'containerd',
      'containerd-shim-runc-v2',
      'runc',
      'docker-proxy',
      'docker-init',
      'iptables',
    ],
    version: ['--version'],
    debian: ['docker.io'],
    proves: 'the images: built, run, and all five services as one rack',
  },
  {
    name: 'docker',
    // Debian's first: it builds without buildx, which newer ones require.
    commands: ['/usr/bin/docker', 'docker'],
    version: ['--version'],
    debian: ['docker.io'],
    proves: 'the images, by the client that everybody has',
  },
  {
    name: 'docker-registry',
    commands: ['docker-registry'],
    version: ['--version'],
    debian: ['docker-registry'],
    proves: 'the digests that skolo images pin writes, by the registry that people run',
  },
  {
    name: 'buildx',
    // A docker plugin, in one of the plugin directories.
    commands: [
      join(homedir(), '.docker/cli-plugins/docker-buildx'),
      '/usr/local/lib/docker/cli-plugins/docker-buildx',
      '/usr/libexec/docker/cli-plugins/docker-buildx',
      '/usr/lib/docker/cli-plugins/docker-buildx',
    ],
    version: ['version'],
    debian: [],
    proves: 'docker-bake.hcl, read by the program that it is for',
  },
  {
    name: 'mmdebstrap',
    commands: ['mmdebstrap'],
    version: ['--version'],
    debian: ['mmdebstrap', 'arch-test'],
    proves: 'the images: it makes the base that they are built from where there is no registry',
  },
  {
    name: 'qemu-user-static',
    // Those for other architectures are next to it.
    commands: ['qemu-aarch64-static'],
    version: ['--version'],
    debian: ['qemu-user-static'],
    long: true,
    proves: 'the images for arm64, built and started (npm run test:long)',
  },
];

/**
 * The path of a build script's result; undefined without a shell to run the script.
 * @param {string} build as in `PeerKind`
 */
function builtBy(build) {
  try {
    const [script = '', ...args] = build.split(' ');
    const path = fileURLToPath(new URL(`../${script}`, import.meta.url));
    return [execFileSync(path, [...args, '--path'], { encoding: 'utf8' }).trim()];
  } catch {
    return [];
  }
}

/**
 * @typedef {object} Peer
 * @property {string} path absolute
 * @property {string} version digits and dots, or `unknown` if it prints none
 * @property {string[]} [others] absolute paths of the programs that belong to it, and those of its packages
 */

/**
 * How to install it, in parentheses.
 * @param {{ debian: string[], build?: string | undefined }} kind
 */
export function hintOf({ debian, build }) {
  if (debian.length > 0) return ` (Debian: ${debian.join(' ')})`;
  return build ? ` (${build})` : '';
}

/**
 * The installed peers, by name and in the order of the table.
 * @param {readonly PeerKind[]} kinds
 * @returns {Promise<Record<string, Peer>>}
 */
export async function findPeers(kinds = peerKinds) {
  const found = await Promise.all(kinds.map(async (kind) => [kind.name, await findPeer(kind)]));
  return Object.fromEntries(found.filter(([, peer]) => peer !== undefined));
}

/**
 * @param {PeerKind} kind
 * @returns {Promise<Peer | undefined>}
 */
async function findPeer(kind) {
  for (const command of kind.commands) {
    const path = which(command);
    if (path === undefined) continue;
    const others = (kind.others ?? []).map(
      (name) => which(join(dirname(path), name)) ?? which(name) ?? which(`/usr/sbin/${name}`),
    );
    const text = others.every(isString) && (await ask(path, kind.version));
    if (!text) continue;
    const version = text.match(/\d+(\.\d+)+/)?.[0] ?? 'unknown';
    const all = [...new Set([...others.filter(isString), ...(await programsIn(kind.debian))])];
    return { path, version, ...(all.length > 0 && { others: all }) };
  }
  return undefined;
}

/**
 * Programs of the Debian packages of a peer, as far as they are installed.
 * @param {readonly string[]} packages
 */
async function programsIn(packages) {
  if (packages.length === 0) return [];
  // It fails if one is not installed, and lists the others.
  const { stdout = '' } = await run('dpkg', ['-L', ...packages]).catch((error) => error);
  return String(stdout)
    .split('\n')
    .filter((file) => /^(\/usr)?\/s?bin\/[^/]+$/.test(file));
}

/** @type {(path: string | undefined) => path is string} */
function isString(path) {
  return path !== undefined;
}

/**
 * Its output; undefined if it cannot be run or prints nothing.
 * @param {string} path
 * @param {string[]} args
 */
async function ask(path, args) {
  try {
    const { stdout, stderr } = await run(path, args, { timeout: 20_000 });
    return stdout + stderr;
  } catch (error) {
    // Prints its version but fails, as wrk and mosquitto do. Python without the module prints nothing.
    const { code, stdout } = /** @type {{ code?: unknown, stdout?: string }} */ (error);
    return (code === 1 || code === 3) && stdout ? stdout : undefined;
  }
}

/**
 * Where the program is.
 * @param {string} command a name in PATH, or an absolute path
 */
export function which(command, path = process.env.PATH ?? '') {
  const candidates = command.includes('/')
    ? [command]
    : path.split(delimiter).map((folder) => join(folder, command));
  return candidates.find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return statSync(path).isFile();
    } catch {
      return false;
    }
  });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  // A test asks.
  process.env.PATH = process.env.SKOLO_SYSTEM_PATH ?? process.env.PATH;
  const [option, ...names] = process.argv.slice(2);
  const isAsked = (/** @type {PeerKind} */ { name }) => names.length === 0 || names.includes(name);
  const found = await findPeers(peerKinds.filter(isAsked));
  if (option === '--json') {
    console.log(JSON.stringify(found));
  } else if (option === '--missing-packages') {
    for (const { name, debian, long } of peerKinds) {
      if (name in found || debian.length === 0 || (long && !process.env.SKOLO_LONG)) continue;
      console.log(debian.join(' '));
    }
  } else {
    for (const { name, debian, build, proves } of peerKinds) {
      const peer = found[name];
      const state = peer ? `${peer.version}, ${peer.path}` : 'not installed';
      const hint = peer ? '' : hintOf({ debian, build });
      console.log(`${name}: ${state}${hint}; ${proves}`);
    }
  }
}
