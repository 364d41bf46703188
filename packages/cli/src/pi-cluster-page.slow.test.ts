/**
 * docs/adopt/pi-cluster.md, run as printed, with the installed command in an empty directory: from SD cards in a reader to a cluster with a
 * testbed. The test's are the network, the card reader and the image. The Pis are Debians in namespaces that start with the boot partitions of
 * these SD cards. k3s is a fake in front of a real API server, whose pods only say that they run. `apt-get` and `exportfs` are fakes, because
 * namespaces have no package source and no NFS server of their own.
 */

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { dirname, join, resolve } from 'node:path';
import { sha256 } from '@skolo/base';
import { listen, run, tempDir } from '@skolo/base/testing';
import { k3sVersion } from '@skolo/setup/k3s';
import {
  adaptToContainer,
  addK3s,
  bareComputer,
  bridge,
  network,
  ours,
  whyNoJumphost,
} from '@skolo/setup/k3s/testing';
import { copyByMtools, makeTestImage, systems } from '@skolo/setup/pi/testing';
import { type Computer, lacks, peer, removeBridge } from '@skolo/simulators';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nfs, repository, setUp, testbed, values, writeCards } from './testing/pi-cluster-page.ts';

const image = 'raspios.img';
const addresses = [2, 3, 4].map((last) => `${network}.${last}`);
const cards = ['card-1', 'card-2', 'card-3'];

const why = lacks('mtools') ?? whyNoJumphost();
describe.skipIf(why)('the page, with Pis that boot', () => {
  let home = '';
  let env: NodeJS.ProcessEnv = {};
  let loop = '';
  /** The values, as typed. */
  let own = '';
  const computers: Computer[] = [];
  const ends: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    home = await tempDir((remove) => ends.push(remove));
    env = await personalComputer(home);
    await installSkolo(home);
    await addK3s(join(home, '.cache/skolo/files'), k3sVersion);
    for (const name of cards) {
      await writeFile(join(home, name), '');
      await truncate(join(home, name), 128 * 1024 * 1024);
    }
    loop = (await run('losetup', ['--find', '--show', join(home, 'card-1')])).stdout.trim();
    ends.push(() => run('losetup', ['--detach', loop]));
  });
  afterAll(async () => {
    for (const each of computers) await each.scrap();
    await removeBridge(bridge);
    for (const end of ends.reverse()) await end().catch(() => undefined);
  });

  it('leads from empty SD cards to a cluster, a testbed, and volumes over NFS', async () => {
    await makeCluster();
    await addTestbed();
    await addNfs();
  });

  async function makeCluster(): Promise<void> {
    own = await withValues(values);
    const folder = join(home, 'empty');
    await mkdir(folder);

    const written = await typed(writeCards, folder);

    expect(written.code, written.text).toBe(0);
    expect(written.text).toContain('host03: written to the SD card in');
    for (const [at, address] of addresses.entries()) await turnOn(`card-${at + 1}`, address);

    const made = await typed(setUp, join(folder, 'pis'));

    expect(made.code, made.text).toBe(0);
    expect(made.text).toMatch(/^host01 +changed .*k3s/m);
    expect(made.text).toMatch(/^host02 +changed .*k3s-agent/m);
    expect(made.text).toMatch(/^host03 +changed .*k3s-agent/m);
    expect(await kubectl('get', 'nodes')).toMatch(
      /host01 +Ready[\s\S]*host02 +Ready[\s\S]*host03 +Ready/,
    );
    expect((await readdir(folder)).concat(await readdir(join(folder, 'pis')))).toEqual([
      ...['pis', 'kube', 'rack.yaml'],
    ]);
    // Again, as after a failure.
    expect((await typed(setUp, join(folder, 'pis'))).text).toMatch(
      /^host01 +ok [\s\S]*^host02 +ok [\s\S]*^host03 +ok /m,
    );
  }

  async function addTestbed(): Promise<void> {
    // The page asks for it from here on.
    await rm(join(home, 'bin/kubectl'));
    await symlink(peer('kubectl') ?? '', join(home, 'bin/kubectl'));
    await makeVolumes();
    const up = typed(testbed, join(home, 'empty/pis'));
    const ended = endPipeline();

    const { code, text } = await up;

    expect(code, text).toBe(0);
    expect(text).toMatch(/^grafana +ready /m);
    expect(text).toMatch(/^pipeline +ready /m);
    expect(text).toMatch(/^build: done$/m);
    expect(text).toMatch(/^plots: http:\/\/.+:30021\/run-/m);
    await ended;
  }

  async function addNfs(): Promise<void> {
    await fakePackages();

    const { code, text } = await typed(nfs, join(home, 'empty/pis'));

    expect(code, text).toBe(0);
    expect(text).toMatch(/^storage +ready /m);
    const [server, ...others] = computers;
    expect(await server?.read('/run/exported')).toBe(
      `/srv/nfs ${network}.0/24(rw,sync,all_squash,no_subtree_check)\n`,
    );
    expect(await server?.read('/run/installed')).toBe('nfs-kernel-server\nnfs-common\n');
    for (const each of others) expect(await each.read('/run/installed')).toBe('nfs-common\n');
    const volume = ['get', 'pv', 'testbed-nfs', '-o', 'jsonpath={.spec.nfs}'];
    expect(await kubectl(...volume)).toContain(`"server":"${addresses[0]}"`);
    const claims = ['get', 'pvc', '-A', '-o', 'jsonpath={.items[*].spec.volumeName}'];
    expect((await kubectl(...claims)).split(' ')).toEqual(
      expect.arrayContaining(['registry-volume', 'results-volume']),
    );
  }

  async function kubectl(...args: string[]): Promise<string> {
    const answer = await computers[0]?.run('k3s', 'kubectl', ...args);
    expect(answer?.exitCode, answer?.text).toBe(0);
    return answer?.text ?? '';
  }

  /** As k3s' provisioner of volumes does: they are directories of a node. */
  async function makeVolumes(): Promise<void> {
    const isDefault = { 'storageclass.kubernetes.io/is-default-class': 'true' };
    const storage = {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'StorageClass',
      metadata: { name: 'local-path', annotations: isDefault },
      provisioner: 'rancher.io/local-path',
    };
    const volumes = { registry: 'testbed', results: 'testbed-build' };
    const items = Object.entries(volumes).map(([name, namespace]) => ({
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: `${name}-volume` },
      spec: {
        storageClassName: 'local-path',
        capacity: { storage: '4Gi' },
        accessModes: ['ReadWriteOnce'],
        claimRef: { namespace, name },
        hostPath: { path: `/var/lib/rancher/k3s/storage/${name}` },
      },
    }));
    const list = { apiVersion: 'v1', kind: 'List', items: [storage, ...items] };
    await computers[0]?.write('/run/volumes.json', JSON.stringify(list));
    await kubectl('create', '-f', '/run/volumes.json');
  }

  /** Containers of its pod only say that they run, so it never ends. */
  async function endPipeline(): Promise<void> {
    const build = ['-n', 'testbed-build'];
    const label = ['-l', 'app.kubernetes.io/name=pipeline'];
    const running = 'jsonpath={.items[?(@.status.phase=="Running")].metadata.name}';
    const find = () => kubectl('get', 'pods', ...build, ...label, '-o', running);
    await expect.poll(find, { interval: 500 }).not.toBe('');
    const pod = await find();
    const test = {
      name: 'test',
      image: 'node',
      imageID: '',
      ready: false,
      restartCount: 0,
      state: { terminated: { exitCode: 0, reason: 'Completed' } },
    };
    const status = { phase: 'Succeeded', containerStatuses: [test] };
    const patch = ['--subresource=status', '--type=merge', '-p', JSON.stringify({ status })];
    await kubectl('patch', 'pod', pod, ...build, ...patch);
  }

  /** Debian's packages, which bring the directory of exports, and a server that only notes what it exports. */
  async function fakePackages(): Promise<void> {
    for (const each of computers) {
      await each.write(
        '/usr/local/sbin/apt-get',
        `#!/bin/sh
if [ "$1" = update ]; then touch /run/updated; exit; fi
[ -e /run/updated ] && [ "$1 $2" = 'install -y' ] || exit 100
[ "$3" != nfs-kernel-server ] || mkdir -p /etc/exports.d
echo "$3" >> /run/installed
`,
        0o755,
      );
      const exported =
        '#!/bin/sh\n[ "$1" = -ra ] && cat /etc/exports.d/*.exports > /run/exported\n';
      await each.write('/usr/local/sbin/exportfs', exported, 0o755);
    }
  }

  /** Answers prompts like a person. */
  async function typed(block: string, cwd: string) {
    const file = join(home, 'typed.sh');
    await writeFile(file, `set -eu\n${here(own + block)}`);
    const child = spawn('script', ['-qec', `sh ${file}`, '/dev/null'], { cwd, env });
    let text = '';
    const answered = new Set<number>();
    let card = 0;
    child.stdout.on('data', (part: Buffer) => {
      text += part.toString().replaceAll('\r\n', '\n');
      const prompts =
        /Type yes to overwrite them|yes\/no\/\[fingerprint\]|remove the SD card from/g;
      for (const { index, 0: prompt } of text.matchAll(prompts)) {
        if (answered.has(index)) continue;
        answered.add(index);
        if (!prompt.startsWith('remove')) {
          child.stdin.write('yes\n');
          continue;
        }
        card += 1;
        const next = join(home, cards[card] ?? '');
        void run('losetup', ['--detach', loop]).then(() => run('losetup', [loop, next]));
      }
    });
    const code = await new Promise<number | null>((done) => child.on('close', done));
    return { code, text };
  }

  /** With the test's network. */
  function here(block: string): string {
    return block.replaceAll('10.1.1.', `${network}.`);
  }

  /** The test's values instead of the page's. */
  async function withValues(block: string): Promise<string> {
    const given: Record<string, string> = {
      READER: loop,
      IMAGE: image,
      URL: await published(home, ends),
    };
    const names = Object.keys(given).map((name) => expect.stringContaining(`${name}=`));
    expect(block.split('\n')).toEqual(expect.arrayContaining(names));
    return block.replaceAll(/^([A-Z]+)=.*$/gm, (line, name: string) =>
      name in given ? `${name}='${given[name]}'` : line,
    );
  }

  /** A Pi with this SD card, whose interface has a different name. */
  async function turnOn(card: string, address: string): Promise<void> {
    const boot = join(home, `${card}-boot`);
    await copyByMtools(join(home, card), boot);
    const computer = await bareComputer({ bridge });
    computers.push(computer);
    for (const name of await readdir(boot)) {
      const text = await readFile(join(boot, name), 'utf8');
      // Debian's firmware package writes its own command line before scripts run.
      const isLine = name === 'cmdline.txt';
      const content = isLine ? systems.debian.boot['cmdline.txt'] : text;
      await computer.write(`/boot/firmware/${name}`, content, 0o755);
    }
    const words = (await readFile(join(boot, 'cmdline.txt'), 'utf8')).trim().split(' ');
    await computer.write('/etc/machine-id', `${createHash('md5').update(card).digest('hex')}\n`);
    await computer.bootOnce(
      words
        .filter((word) => word.startsWith('systemd.'))
        .map((word) => word.replace('=reboot', '=poweroff')),
    );
    const wired = await computer.read('/etc/network/interfaces.d/eth0');
    expect(wired).toContain(`address ${address}/24\n    gateway ${ours}\n`);
    await computer.write(
      '/etc/network/interfaces',
      `auto lo\niface lo inet loopback\n${wired
        .replaceAll('allow-hotplug', 'auto')
        .replaceAll('wired0', 'host0')
        .replace(/^.*inet6.*$/m, '')}`,
    );
    await computer.write('/etc/network/interfaces.d/eth0', '');
    await adaptToContainer(computer);
    await computer.write(
      '/etc/systemd/system/ssh.service.d/keys.conf',
      '[Service]\nExecStartPre=\nExecStartPre=/usr/bin/ssh-keygen -A\nExecStartPre=/usr/sbin/sshd -t\n',
    );
    await computer.boot();
  }
});

/** Keys, ssh without the user's own configuration, and sudo with Debian's default environment. */
async function personalComputer(home: string): Promise<NodeJS.ProcessEnv> {
  const [bin, ssh] = [join(home, 'bin'), join(home, '.ssh')];
  for (const folder of [bin, ssh, join(home, 'run')]) await mkdir(folder, { mode: 0o700 });
  await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(ssh, 'id_ed25519')]);
  const config = join(home, 'ssh_config');
  await writeFile(
    config,
    `IdentityFile ${join(ssh, 'id_ed25519')}\nIdentitiesOnly yes\nIdentityAgent none\nUserKnownHostsFile ${join(ssh, 'known_hosts')}\nGlobalKnownHostsFile none\n`,
  );
  const programs = {
    ssh: `exec '${resolve(peer('ssh') ?? '')}' -F '${config}' "$@"`,
    sudo: `HOME='${join(home, 'root')}' exec "$@"`,
    kubectl: `echo 'there is no kubectl here' >&2; exit 127`,
  };
  for (const [name, script] of Object.entries(programs)) {
    await writeFile(join(bin, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  }
  return {
    PATH: `${bin}:${join(home, 'prefix/bin')}:${dirname(process.execPath)}:${process.env.PATH}`,
    HOME: home,
    XDG_RUNTIME_DIR: join(home, 'run'),
    TERM: 'dumb',
  };
}

/** As in docs/adopt/pi-cluster.md, from the npm package. */
async function installSkolo(home: string): Promise<void> {
  const script = join(repository, 'scripts/bundle.mjs');
  await run(process.execPath, [script, '--out', join(home, 'bundle'), 'cli']);
  const packed = join(home, 'bundle/cli/opt/skolo/packages/cli');
  await run('npm', ['pack', '--silent', '--pack-destination', home], { cwd: packed });
  const [file = ''] = (await readdir(home)).filter((name) => name.endsWith('.tgz'));
  const install = ['install', '--global', '--offline', '--prefix', join(home, 'prefix')];
  await run('npm', [...install, join(home, file)], { cwd: home });
}

/** The publisher's server. @returns the URL of an image, with its checksum next to it */
async function published(home: string, ends: (() => Promise<unknown>)[]): Promise<string> {
  const file = join(home, image);
  await makeTestImage(file, systems.debian);
  await run('xz', ['-0', file]);
  const bytes = await readFile(`${file}.xz`);
  const sum = `${sha256(bytes)}  ${image}.xz\n`;
  const server = createServer(({ url }, response) => {
    if (url === `/${image}.xz`) response.end(bytes);
    else if (url === `/${image}.xz.sha256`) response.end(sum);
    else response.writeHead(404).end();
  });
  const port = await listen(server, (close) => ends.push(close));
  return `http://127.0.0.1:${port}/${image}.xz`;
}
