/** What a workstation of a test has: a key, ssh, files of publishers, bundles. */
import { execFile } from 'node:child_process';
import { createHash, createPrivateKey } from 'node:crypto';
import { appendFile, chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { K3sRack } from '@skolo/fleet';
import { publicRackKey } from '@skolo/rack/jumphost';
import { nodeVersion } from '@skolo/setup/debian';
import { peer } from '@skolo/simulators';
import { k3sVersion } from '../program/version.ts';
import type { TestWorkstation } from './test-host.ts';

const run = promisify(execFile);

/** PKCS #8 of Ed25519 (RFC 8410), and 32 bytes of a key: the same for all workstations, so that what they make can be compared. */
const ed25519 = Buffer.from('302e020100300506032b657004220420', 'hex');
const testKey = createPrivateKey({
  key: Buffer.concat([ed25519, Buffer.alloc(32, 1)]),
  format: 'der',
  type: 'pkcs8',
})
  .export({ type: 'pkcs8', format: 'pem' })
  .toString();

export interface Place {
  name: string;
  address: string;
  /** Of its sshd; default: 22. */
  port?: number;
}

/** In this folder. */
export async function makeTestWorkstation(home: string): Promise<TestWorkstation> {
  const env = await makeSsh(home);
  const rack: K3sRack = {
    name: 'rack4',
    type: 'k3s',
    context: 'rack4',
    jumphost: 'jumphost-rack4',
    ways: [{ host: 'jumphost-rack4' }],
    apiPort: 6443,
    internet: true,
    wave: 1,
    canary: false,
    overlay: join(home, 'kube/racks/rack4'),
  };
  const [files, bundles] = await Promise.all([makeFiles(home), makeBundles(home)]);
  const rackKey = publicRackKey(testKey);
  return { rack, env, files, bundles, rackKey, returnSeconds: 600 };
}

function privateKeyOf(home: string): string {
  return join(home, 'id_ed25519');
}

export function publicKeyOf(home: string): string {
  return `${privateKeyOf(home)}.pub`;
}

/** Its ssh knows the computer by name. */
export async function addToWorkstation(
  home: string,
  { name, address, port = 22 }: Place,
): Promise<void> {
  await appendFile(
    join(home, 'ssh_config'),
    `Host ${name}
  HostName ${address}
  Port ${port}
  User root
  IdentityFile ${privateKeyOf(home)}
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
async function makeSsh(home: string): Promise<NodeJS.ProcessEnv> {
  const key = privateKeyOf(home);
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

/** Of a computer of a test: a certificate that its Node trusts. */
export const testAuthority = '/usr/local/share/test-authority.pem';

/** Node and k3s with lists of checksums, made here: publishers cannot be reached. */
async function makeFiles(home: string): Promise<string> {
  const files = join(home, 'files');
  const node = `node-v${nodeVersion}`;
  const tree = join(home, 'node', `${node}-linux-x64`, 'bin');
  await mkdir(tree, { recursive: true });
  // A program that is as Node from outside, and small.
  const program = `#!/bin/sh
[ ! -e ${testAuthority} ] || export NODE_EXTRA_CA_CERTS=${testAuthority}
exec /opt/test/node "$@"
`;
  await writeFile(join(tree, 'node'), program, { mode: 0o755 });
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
# What is asked again and again, without Node.
case \${1-} in
  --version) echo "k3s version $K3S_TEST_VERSION (of a test)"; exit ;;
  secrets-encrypt) cat /run/k3s-test-encryption; exit ;;
  kubectl) shift; export KUBECONFIG=/etc/rancher/k3s/k3s.yaml; exec "$K3S_TEST_KUBECTL" "$@" ;;
esac
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

/** Programs that only run, but for the gate and the guard of the jumphost. */
async function makeBundles(home: string): Promise<string> {
  const bundles = join(home, 'bundle');
  for (const folder of [
    'services/metadata-server',
    'services/power-cycle-daemon',
    'services/router-backup',
    'packages/fallback',
  ]) {
    const name = folder.split('/').at(-1) ?? '';
    const to = join(bundles, name, 'opt/skolo', folder);
    await mkdir(join(to, 'dist'), { recursive: true });
    await writeFile(join(to, 'dist/main.js'), '// Of a test.\n');
  }
  const active = join(bundles, 'fallback/opt/skolo/packages/fallback/dist/active.js');
  await writeFile(active, "import '/opt/test/repository/services/fallback/src/active.ts';\n");
  const bin = join(bundles, 'fallback/opt/skolo/packages/fallback/bin');
  await mkdir(bin);
  await writeFile(join(bin, 'skolo-fallback'), '#!/bin/sh\nexit 0\n');
  await chmod(join(bin, 'skolo-fallback'), 0o755);
  return bundles;
}
