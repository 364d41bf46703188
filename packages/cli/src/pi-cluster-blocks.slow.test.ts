/**
 * The blocks of docs/adopt/pi-cluster.md that need no booted Pis, run as printed. pi-cluster-page.slow.test.ts runs the others.
 * kubeadm's Pis are copies of this computer's files behind a real sshd, in which Debian's and Kubernetes' programs are fakes.
 */

import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { isLong } from '@skolo/base/durable/fault-injection';
import { run, tempDir } from '@skolo/base/testing';
import {
  fakesPath,
  type KubeadmHosts,
  startKubeadmHosts,
  whyNoKubeadmHosts,
} from '@skolo/setup/cluster/testing';
import { lacks, peer } from '@skolo/simulators';
import { expect, it, onTestFinished } from 'vitest';
import { benchmark, kubeadm, others, repository } from './testing/pi-cluster-page.ts';

it('has no block that no test runs', () => {
  expect(others).toEqual([]);
});

const whyNoPis = whyNoKubeadmHosts() ?? lacks('ssh', 'sshd', 'root');
it.skipIf(whyNoPis)('kubeadm makes a cluster', async () => {
  const home = await tempDir();
  const env = await workstation(home);
  const folder = join(home, 'empty');
  await mkdir(folder);

  const { stdout, stderr } = await run('sh', ['-euc', kubeadm], { env, cwd: folder });

  expect(stdout).toMatch(/^host01 +changed .*kubeadm/m);
  expect(stdout.match(/^host0[2-4] +changed .*kubeadm-join/gm)).toHaveLength(3);
  expect(stderr).toContain('lab: added to ');
  // Again, as after a failure.
  const again = await run('sh', ['-euc', kubeadm], { env, cwd: folder });
  expect(again.stdout.match(/^host0[1-4] +ok /gm)).toHaveLength(4);
});

async function workstation(home: string): Promise<Record<string, string>> {
  const bin = join(home, 'bin');
  await mkdir(bin);
  const key = join(home, 'key');
  await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
  const hosts = await startKubeadmHosts();
  onTestFinished(() => hosts.close());
  for (const name of ['host01', 'host02', 'host03', 'host04']) {
    await hosts.add(name);
    await addSshd(hosts, name, await readFile(`${key}.pub`, 'utf8'));
    const server = [...hosts.enter(name), '/usr/sbin/sshd', '-i', '-f', '/opt/sshd_config'];
    await writeFile(join(bin, `reach-${name}`), `#!/bin/sh\nexec ${server.join(' ')}\n`, {
      mode: 0o755,
    });
  }
  const config = join(home, 'ssh_config');
  await writeFile(
    config,
    `User root
IdentityFile ${key}
IdentitiesOnly yes
IdentityAgent none
UserKnownHostsFile ${home}/known_hosts
GlobalKnownHostsFile none
StrictHostKeyChecking accept-new
ProxyCommand ${bin}/reach-%n
`,
  );
  const ssh = `#!/bin/sh\nexec '${resolve(peer('ssh') ?? '')}' -F '${config}' "$@"\n`;
  await writeFile(join(bin, 'ssh'), ssh, { mode: 0o755 });
  const hook = join(home, 'hook.mjs');
  await writeFile(hook, anyPublisher);
  const main = join(repository, 'packages/cli/src/main.ts');
  const skolo = `#!/bin/sh\nexec '${process.execPath}' --import '${hook}' '${main}' "$@"\n`;
  await writeFile(join(bin, 'skolo'), skolo, { mode: 0o755 });
  const files = {
    'kubernetes-v1.34/Release.key': 'a key\n',
    'flannel-v0.27.4/kube-flannel.yml': flannel,
  };
  for (const [name, content] of Object.entries(files)) {
    const file = join(home, '.cache/skolo/files', name);
    await mkdir(join(file, '..'), { recursive: true });
    await writeFile(file, content);
  }
  const runtime = join(home, 'run');
  await mkdir(runtime, { mode: 0o700 });
  return { PATH: `${bin}:${process.env.PATH}`, HOME: home, XDG_RUNTIME_DIR: runtime };
}

async function addSshd(hosts: KubeadmHosts, name: string, key: string): Promise<void> {
  const config = `HostKey /opt/host_key
AuthorizedKeysFile /opt/authorized_keys
StrictModes no
UsePAM no
PermitRootLogin yes
SetEnv ${fakesPath} HOST=${name}
`;
  await hosts.shell(
    name,
    `mkdir -p /run/sshd
ssh-keygen -q -t ed25519 -N '' -f /opt/host_key
echo '${key.trim()}' > /opt/authorized_keys
echo '${config}' > /opt/sshd_config`,
  );
}

const whyNoNetwork = lacks('curl', 'ip', 'root');
it.skipIf(whyNoNetwork)('the benchmark runs in a clone', async () => {
  const clone = await tempDir();
  for (const each of ['kube', 'node_modules', 'package.json']) {
    await symlink(join(repository, each), join(clone, each));
  }
  // The page's own number and length of rounds take minutes.
  const block = isLong
    ? benchmark
    : benchmark.replace(/SECONDS=\S+/, 'SECONDS=0.2').replace(/ROUNDS=\S+/, 'ROUNDS=1');
  // The port is free in a network of its own, and the demo ends with the shell.
  const shell = ['--net', '--pid', '--fork', '--kill-child', 'sh', '-euc'];

  // A busy computer misses the objective, which is exit code 1.
  const stdout = await run('unshare', [...shell, `ip link set lo up\n${block}`], {
    cwd: clone,
  })
    .catch((error: { stdout: string }) => error)
    .then((ended) => ended.stdout);

  expect(stdout).toMatch(/^\| 50 \|/m);
  expect(await readdir(join(clone, 'results/here'))).toContain('latency.svg');
});

/** Files of Kubernetes and flannel are those of this test: nobody has their publishers' key, and their server cannot be reached. */
const anyPublisher = `import { registerHooks } from 'node:module';
registerHooks({
  load(url, context, next) {
    const loaded = next(url, context);
    if (!url.endsWith('/cluster/kubeadm/versions.ts')) return loaded;
    const source = String(loaded.source)
      .replace('sums: isKeyOf(signer)', 'sums: () => undefined')
      .replace('sum === flannelSha256', 'true');
    return { ...loaded, source };
  },
});
`;

const flannel = `kind: Namespace
---
kind: DaemonSet
spec:
  template:
    spec:
      containers:
      - name: kube-flannel
        args: [--ip-masq]
        env: []
`;
