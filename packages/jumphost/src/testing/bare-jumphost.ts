/** A bare Debian with systemd and sshd, on a cable of its own, as a person has installed it; and what a desk has for it. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { appendFile, chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { K3sRack } from '@skolo/fleet';
import { Computer, peer, removeBridge } from '@skolo/simulators';
import { k3sVersion, nodeVersion } from '../steps/versions.ts';
import { address, ours, type TestDesk } from './test-steps.ts';

export { network } from './test-network.ts';
export { address, subnet } from './test-steps.ts';

const run = promisify(execFile);
const repository = fileURLToPath(new URL('../../../../', import.meta.url));

/** Why none can be made here; undefined where it can. */
export function whyNoJumphost(): string | undefined {
  if (process.getuid?.() !== 0) return 'only root can boot a computer';
  const names = ['systemd-nspawn', 'debian', 'ssh', 'ip', 'control-plane', 'kubectl'] as const;
  const missing = names.filter((name) => peer(name) === undefined);
  return missing.length > 0 ? `not here: ${missing.join(', ')}` : undefined;
}

export interface BareJumphost {
  computer: Computer;
  desk: TestDesk;
  /** Another one at the same switch, for the same desk. */
  addSpare(spare: Place): Promise<Computer>;
  close(): Promise<void>;
}

interface Place {
  name: string;
  address: string;
}

const jumphost: Place = { name: 'jumphost-rack4', address };

interface BareOptions {
  /** A switch that a spare can be plugged into. */
  bridge?: string;
  /** Of this computer, by where they are there; they can only be read. */
  folders?: Readonly<Record<string, string>>;
}

/** Boots one. */
export async function startBareJumphost(options: BareOptions = {}): Promise<BareJumphost> {
  const { bridge } = options;
  const home = await mkdtemp(join(tmpdir(), 'skolo-desk-'));
  const computers: Computer[] = [];
  async function close() {
    for (const each of computers) await each.scrap();
    if (bridge !== undefined) await removeBridge(bridge);
    await rm(home, { recursive: true, force: true });
  }
  async function start(place: Place): Promise<Computer> {
    const computer = await bareComputer(options);
    computers.push(computer);
    await allowDesk(home, computer, place);
    await installDebian(computer, place);
    await computer.boot();
    return computer;
  }
  try {
    const env = await makeDesk(home);
    const computer = await start(jumphost);
    const rack: K3sRack = {
      ...{ name: 'rack4', type: 'k3s', context: 'rack4', jumphost: 'jumphost-rack4' },
      ...{ ways: [{ host: 'jumphost-rack4' }], apiPort: 6443, uplink: true },
      ...{ wave: 1, canary: false, overlay: join(home, 'kube/racks/rack4') },
    };
    const [files, bundles] = await Promise.all([makeFiles(home), makeBundles(home)]);
    const desk = { rack, env, files, bundles, returnSeconds: 60 };
    return { computer, desk, addSpare: start, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function bareComputer({ bridge, folders }: BareOptions): Promise<Computer> {
  const debian = resolve(peer('debian') ?? '', '../../..');
  return await Computer.bare(peer('systemd-nspawn') ?? '', debian, {
    network: `${ours}/24`,
    ...(bridge !== undefined && { bridge }),
    folders: {
      '/opt/test/node': process.execPath,
      '/opt/test/repository': repository,
      '/opt/test/control-plane': peer('control-plane') ?? '',
      '/opt/test/kubectl': peer('kubectl') ?? '',
      ...folders,
    },
  });
}

/** The desk's ssh knows the computer by name, and the computer its key. */
async function allowDesk(home: string, computer: Computer, { name, address }: Place) {
  const key = join(home, 'id_ed25519');
  await computer.write('/root/.ssh/authorized_keys', await readFile(`${key}.pub`, 'utf8'), 0o600);
  await appendFile(
    join(home, 'ssh_config'),
    `Host ${name}
  HostName ${address}
  User root
  IdentityFile ${key}
  IdentitiesOnly yes
  IdentityAgent none
  UserKnownHostsFile ${home}/known_hosts
  GlobalKnownHostsFile none
  StrictHostKeyChecking accept-new
  ConnectTimeout 2
`,
  );
}

/** A key, and ssh with a configuration of its own. */
async function makeDesk(home: string): Promise<NodeJS.ProcessEnv> {
  const key = join(home, 'id_ed25519');
  await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
  const config = join(home, 'ssh_config');
  const bin = join(home, 'bin');
  await mkdir(bin);
  await writeFile(join(bin, 'ssh'), `#!/bin/sh\nexec '${peer('ssh')}' -F '${config}' "$@"\n`, {
    mode: 0o755,
  });
  const runtime = join(home, 'run');
  await mkdir(runtime, { mode: 0o700 });
  return { PATH: `${bin}:${process.env.PATH}`, HOME: home, XDG_RUNTIME_DIR: runtime };
}

/** What a person has done at its console. */
async function installDebian(computer: Computer, { name, address }: Place): Promise<void> {
  await computer.write('/etc/hostname', `${name}\n`);
  // As Debian's installer does; sudo looks its own name up.
  await computer.write('/etc/hosts', `127.0.0.1 localhost\n127.0.1.1 ${name}\n`);
  await computer.write(
    '/etc/network/interfaces',
    `auto lo host0
iface lo inet loopback
iface host0 inet static
  address ${address}/24
  gateway ${ours}
`,
  );
  // The clock is not this container's: chrony runs, and sets nothing.
  await computer.write('/etc/default/chrony', 'DAEMON_OPTS="-x"\n');
  await computer.write(
    '/etc/systemd/system/chrony.service.d/container.conf',
    '[Unit]\nConditionCapability=\n',
  );
  // Whose first contact makes the keys of a container that was copied.
  await computer.write(
    '/etc/systemd/system/ssh.service.d/keys.conf',
    '[Service]\nExecStartPre=\nExecStartPre=/usr/bin/ssh-keygen -A\nExecStartPre=/usr/sbin/sshd -t\n',
  );
}

/** Node and k3s with lists of checksums, made here: publishers cannot be reached. */
async function makeFiles(home: string): Promise<string> {
  const files = join(home, 'files');
  const node = `node-v${nodeVersion}`;
  const tree = join(home, 'node', `${node}-linux-x64`, 'bin');
  await mkdir(tree, { recursive: true });
  // A program that is as Node from outside, and small.
  await writeFile(join(tree, 'node'), '#!/bin/sh\nexec /opt/test/node "$@"\n', { mode: 0o755 });
  await mkdir(join(files, node), { recursive: true });
  const archive = join(files, node, `${node}-linux-x64.tar.gz`);
  await run('tar', ['-czf', archive, '-C', join(home, 'node'), `${node}-linux-x64`]);
  await writeSums(join(files, node, 'SHASUMS256.txt'), [archive]);

  await addK3s(files, k3sVersion);
  return files;
}

/**
 * A release of k3s, whose program stands in for it.
 *
 * @param fault its server ends at once, or never answers
 */
export async function addK3s(
  files: string,
  version: string,
  fault?: 'crash' | 'hang',
): Promise<void> {
  const folder = join(files, `k3s-${version}`);
  await mkdir(folder, { recursive: true });
  const variables = [
    'K3S_TEST_CONTROL_PLANE=/opt/test/control-plane',
    'K3S_TEST_KUBECTL=/opt/test/kubectl',
    `K3S_TEST_VERSION=${version}`,
    ...(fault === undefined ? [] : [`K3S_TEST_FAULT=${fault}`]),
  ];
  const program = `#!/bin/sh
export ${variables.join(' ')}
exec /opt/test/node /opt/test/repository/test/simulators/src/real/k3s-program.ts "$@"
`;
  const images = join(folder, 'k3s-airgap-images-amd64.tar.zst');
  await writeFile(images, `images of k3s ${version}\n`);
  for (const [name, platform] of [
    ['k3s', 'amd64'],
    ['k3s-armhf', 'arm'],
  ] as const) {
    const file = join(folder, name);
    await writeFile(file, program);
    await writeSums(join(folder, `sha256sum-${platform}.txt`), [file, images]);
  }
}

async function writeSums(to: string, files: readonly string[]): Promise<void> {
  const lines = files.map(async (file) => {
    const sum = createHash('sha256')
      .update(await readFile(file))
      .digest('hex');
    return `${sum}  ${file.slice(dirname(file).length + 1)}\n`;
  });
  await writeFile(to, (await Promise.all(lines)).join(''));
}

/** Programs that only run. */
async function makeBundles(home: string): Promise<string> {
  const bundles = join(home, 'bundle');
  for (const folder of [
    'services/metadata-server',
    'services/power-cycle-daemon',
    'services/router-backup',
    'packages/stand-in',
  ]) {
    const name = folder.split('/').at(-1) ?? '';
    const to = join(bundles, name, 'opt/skolo', folder);
    await mkdir(join(to, 'dist'), { recursive: true });
    await writeFile(join(to, 'dist/main.js'), '// Of a test.\n');
  }
  const bin = join(bundles, 'stand-in/opt/skolo/packages/stand-in/bin');
  await mkdir(bin);
  await writeFile(join(bin, 'skolo-stand-in'), '#!/bin/sh\nexit 0\n');
  await chmod(join(bin, 'skolo-stand-in'), 0o755);
  return bundles;
}
