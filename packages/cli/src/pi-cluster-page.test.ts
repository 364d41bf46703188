/**
 * docs/adopt/pi-cluster.md, run as printed, with the installed command in an empty directory: from SD cards in a reader to a cluster. Only the
 * values in the first block are the test's. The Pis are Debians in namespaces that start with the boot partitions of these SD cards, and
 * k3s is a fake in front of a real API server.
 */

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sha256 } from '@skolo/base';
import { isLong } from '@skolo/base/durable/fault-injection';
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
import { type Computer, peer, removeBridge } from '@skolo/simulators';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const repository = fileURLToPath(new URL('../../../', import.meta.url));
const image = 'raspios.img';
const addresses = [8, 9].map((last) => `${network}.${last}`);

function whyNot(): string | undefined {
  if (!isLong) return 'only in npm run test:long';
  return peer('mtools') === undefined ? 'mtools is not installed' : whyNoJumphost();
}

const why = whyNot();
describe.skipIf(why !== undefined)(`the page (${why ?? 'Pis boot'})`, { timeout: 600_000 }, () => {
  let home = '';
  let env: NodeJS.ProcessEnv = {};
  let loop = '';
  const computers: Computer[] = [];
  const ends: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    home = await tempDir((remove) => ends.push(remove));
    env = await personalComputer(home);
    await installSkolo(home);
    await addK3s(join(home, '.cache/skolo/files'), k3sVersion);
    for (const name of ['card-1', 'card-2']) {
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

  it('leads from empty SD cards to a cluster', async () => {
    const [values = '', write = '', setUp = ''] = await blocksOf('docs/adopt/pi-cluster.md');
    const ownValues = await withValues(values);
    const folder = join(home, 'empty');
    await mkdir(folder);

    const written = await typed(`${ownValues}${write}`, folder);

    expect(written.code, written.text).toBe(0);
    expect(written.text).toContain('host02: written to the SD card in');
    for (const [at, address] of addresses.entries()) await turnOn(`card-${at + 1}`, address);

    const made = await typed(`${ownValues}${setUp}`, join(folder, 'pis'));

    expect(made.code, made.text).toBe(0);
    expect(made.text).toMatch(/^host01 +changed .*k3s/m);
    expect(made.text).toMatch(/^host02 +changed .*k3s-agent/m);
    const nodes = await computers[0]?.run('sh', '-c', 'k3s kubectl get nodes');
    expect(nodes?.text).toMatch(/host01 +Ready[\s\S]*host02 +Ready/);
    expect((await readdir(folder)).concat(await readdir(join(folder, 'pis')))).toEqual([
      ...['pis', 'kube', 'rack.yaml'],
    ]);
    // Again, as after a failure.
    expect((await typed(`${ownValues}${setUp}`, join(folder, 'pis'))).text).toMatch(
      /^host01 +ok [\s\S]*^host02 +ok /m,
    );
  });

  /** Answers prompts like a person. */
  async function typed(script: string, cwd: string) {
    const file = join(home, 'typed.sh');
    await writeFile(file, `set -eu\n${script}`);
    const child = spawn('script', ['-qec', `sh ${file}`, '/dev/null'], { cwd, env });
    let text = '';
    let isAgreed = false;
    let isNext = false;
    child.stdout.on('data', (part: Buffer) => {
      text += part.toString().replaceAll('\r\n', '\n');
      if (!isAgreed && text.includes('Type yes to overwrite them')) {
        isAgreed = true;
        child.stdin.write('yes\n');
      }
      if (!isNext && text.includes('remove the SD card from')) {
        isNext = true;
        void run('losetup', ['--detach', loop]).then(() =>
          run('losetup', [loop, join(home, 'card-2')]),
        );
      }
    });
    const code = await new Promise<number | null>((done) => child.on('close', done));
    return { code, text };
  }

  /** The test's values instead of the page's. */
  async function withValues(block: string): Promise<string> {
    const url = await published(home, ends);
    const own: Record<string, string> = {
      PIS: 'host[01-02]',
      ADDRESSES: `${network}.[8-9]`,
      GATEWAY: ours,
      READER: loop,
      IMAGE: image,
      URL: url,
    };
    return block.replaceAll(/^([A-Z]+)=.*$/gm, (_, name: string) => {
      expect(own, `the page has a value ${name}`).toHaveProperty(name);
      return `${name}='${own[name]}'`;
    });
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

/** Shell blocks before the second heading. */
async function blocksOf(page: string): Promise<string[]> {
  const [, text = ''] = (await readFile(join(repository, page), 'utf8')).split(/^# .*$/m);
  const [start = ''] = text.split(/^## /m);
  return [...start.matchAll(/^```sh\n([\s\S]*?)^```/gm)].map(([, block = '']) => block);
}

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
