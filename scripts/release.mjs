/**
 * `npm run release [-- VERSION]`: makes everything that a release has, in `out/release/VERSION`: a bundle of each program, a
 * bill of materials (CycloneDX), `skolo` as a package of npm and as executables for Linux, checksums, and with `--images` all
 * images, pushed to PREFIX. `images.txt` has the digests of the bases, of the images of others in kube/, and of those that it
 * pushed, as their registries have them. It rejects a tree with changes, and ends where a registry does not respond.
 *
 * VERSION        what programs print as their version; by default the version in package.json
 * --images       also runs `docker buildx bake --push`, with PREFIX as docs/images.md describes
 * --out FOLDER   instead of out/release
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { RegistryError } from '@skolo/fleet/registry';
import { readManifestFiles } from '../packages/cli/src/commands/images/manifests.ts';
import { writeExecutable } from './bundle/executable.mjs';
import { baseImages, withDigests } from './image-digests.mjs';
import { root } from './node.mjs';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { images: { type: 'boolean' }, out: { type: 'string' } },
});
const [version = readVersion()] = positionals;
const changes = git('status', '--porcelain');
if (changes !== '') {
  console.error(
    `the tree has changes: commit them first, so that the release is what git has\n${changes}`,
  );
  process.exit(1);
}

const bases = baseImages(readFileSync(join(root, 'Dockerfile'), 'utf8'), process.env);
const manifests = await readManifestFiles(
  ['base', 'components'].map((name) => join(root, 'kube', name)),
);
const ofOthers = manifests.flatMap(({ text, images }) =>
  images.map(({ start, end }) => text.slice(start, end)),
);
const pinned = await digestsOf([...Object.values(bases), ...ofOthers]);

const folder = join(resolve(options.out ?? join(root, 'out', 'release')), version);
const bundles = join(folder, 'bundle');
rmSync(folder, { recursive: true, force: true });
mkdirSync(bundles, { recursive: true });

const commitTime = git('log', '-1', '--format=%ct');
run(process.execPath, ['scripts/bundle.mjs', '--out', bundles, '--version', version]);
for (const name of readdirSync(bundles)) {
  // The same commit makes the same bytes.
  const file = join(folder, `skolo-${name}-${version}.tar.gz`);
  const order = [
    '--sort=name',
    `--mtime=@${commitTime}`,
    '--owner=0',
    '--group=0',
    '--numeric-owner',
  ];
  run('tar', [
    ...order,
    '--use-compress-program=gzip -n',
    '-cf',
    file,
    '-C',
    join(bundles, name),
    '.',
  ]);
}
run(
  'npm',
  ['pack', '--silent', '--pack-destination', folder],
  {},
  join(bundles, 'cli/opt/skolo/packages/cli'),
);
for (const [platform, arch] of Object.entries({ 'linux-x64': 'amd64', 'linux-arm64': 'arm64' })) {
  const node = fetchNode(platform, bundles);
  writeExecutable(join(bundles, 'cli'), node, join(folder, `skolo-${version}-linux-${arch}`));
}
rmSync(bundles, { recursive: true });
const materials = execFileSync(
  'npm',
  ['sbom', '--sbom-format', 'cyclonedx', '--omit', 'dev', '--package-lock-only'],
  { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 26 },
);
writeFileSync(join(folder, 'sbom.cdx.json'), materials);
const pushed = options.images ? await pushImages() : new Map();
const digests = new Set([...pushed.values(), ...pinned.values()]);
writeFileSync(join(folder, 'images.txt'), [...digests].map((each) => `${each}\n`).join(''));
writeFileSync(join(folder, 'SHA256SUMS'), checksums());
console.log(`release ${version} of ${git('rev-parse', '--short', 'HEAD')} is in ${folder}`);

/** As `sha256sum -c` reads them. */
function checksums() {
  return readdirSync(folder)
    .filter((name) => name !== 'SHA256SUMS')
    .sort()
    .map((name) => {
      const digest = createHash('sha256')
        .update(readFileSync(join(folder, name)))
        .digest('hex');
      return `${digest}  ${name}\n`;
    })
    .join('');
}

/**
 * The binary of Node for a platform, from its package of npm, which checks its sum. It is of the version that runs here: another
 * one may not read what this one writes into executables.
 *
 * @param {string} platform
 * @param {string} work a folder
 */
function fetchNode(platform, work) {
  const name = `node-${platform}`;
  const { node: version } = process.versions;
  run('npm', ['pack', '--silent', `${name}@${version}`], {}, work);
  const folder = join(work, name);
  mkdirSync(folder);
  run('tar', ['-xzf', `${name}-${version}.tgz`, '-C', folder, '--strip-components=1'], {}, work);
  return join(folder, 'bin/node');
}

/** Builds them on the bases that were looked up, and gives their digests. */
async function pushImages() {
  const ofBases = Object.entries(bases).map(([name, image]) => [name, pinned.get(image)]);
  run('docker', ['buildx', 'bake', '--push'], {
    ...Object.fromEntries(ofBases),
    TAG: version,
    VERSION: version,
    REVISION: git('rev-parse', 'HEAD'),
    CREATED: git('log', '-1', '--format=%cI'),
    SOURCE_DATE_EPOCH: commitTime,
  });
  const { PREFIX = 'skolo/' } = process.env;
  const bake = readFileSync(join(root, 'docker-bake.hcl'), 'utf8');
  const names = [...bake.matchAll(/^ {2}\{ name = "([^"]+)"/gm)].map(([, name]) => name);
  return await digestsOf(names.map((name) => `${PREFIX}${name}:${version}`));
}

/** @param {string[]} images */
async function digestsOf(images) {
  return await withDigests(images).catch((error) => {
    if (!(error instanceof RegistryError)) throw error;
    console.error(`no release: ${error.message}`);
    process.exit(1);
  });
}

/** @param {string[]} args */
function git(...args) {
  return execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();
}

/**
 * @param {string} program
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} [env]
 */
function run(program, args, env = {}, cwd = root) {
  execFileSync(program, args, { cwd, stdio: 'inherit', env: { ...process.env, ...env } });
}

/** @returns {string} */
function readVersion() {
  return JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version;
}
