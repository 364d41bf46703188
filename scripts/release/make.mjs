/**
 * `npm run release [-- VERSION]`: makes a release in `out/release/VERSION`, with the same bytes from the same commit in any folder. It
 * contains a Debian package with the command, all services and Node, for amd64 and arm64; a tarball of each program; `skolo` as a
 * package of npm; their bills of materials (CycloneDX); a page about the source files; the commit; and checksums. It rejects a tree with changes, and a version
 * without a section in CHANGELOG.md. `npm run release -- publish` (../publish/publish.mjs) publishes it.
 *
 * VERSION        what programs print as their version; by default the version in package.json
 * --key FILE     signs the checksums with this SSH key, as SHA256SUMS.sig
 * --image-files  also builds the images of each architecture with Docker, and writes them to one file; BASE as docs/reference/images.md describes
 * --arch NAME    only for amd64 or arm64
 * --out FOLDER   instead of out/release
 */
import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  globSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { sha256OfFile } from '@skolo/base';
import { baseImages } from '../image-digests.mjs';
import { root } from '../node.mjs';
import { readSources, sourceFilesPage } from '../source-files.mjs';
import { versionsIn } from './changelog.mjs';
import { writeDebianPackage } from './debian-package.mjs';
import { git } from './git.mjs';
import { targets, whyNoImages, writeImages } from './images.mjs';
import { nodeFor } from './node-for.mjs';
import { writeTarball } from './tarball.mjs';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    'image-files': { type: 'boolean' },
    out: { type: 'string' },
    key: { type: 'string' },
    arch: { type: 'string' },
  },
});
const [version = readVersion()] = positionals;
const changes = git(root, 'status', '--porcelain');
if (changes !== '') {
  console.error(
    `the working tree has changes; commit or stash them, so that the release matches the commit:\n${changes}`,
  );
  process.exit(1);
}
const changelog = versionsIn(readFileSync(join(root, 'CHANGELOG.md'), 'utf8'));
if (changelog.find((each) => each.version === version)?.changes === undefined) {
  console.error(
    `CHANGELOG.md has no section for ${version}: add a \`## ${version}\` section with the changes that users must know about, and commit it`,
  );
  process.exit(1);
}

/** @type {['amd64' | 'arm64', string][]} */
const all = [
  ['amd64', 'linux-x64'],
  ['arm64', 'linux-arm64'],
];
const platforms = all.filter(([arch]) => options.arch === undefined || options.arch === arch);
if (platforms.length === 0) {
  console.error(`--arch ${options.arch}: specify amd64 or arm64`);
  process.exit(2);
}
const bases = baseImages(readFileSync(join(root, 'Dockerfile'), 'utf8'), process.env);
for (const [arch] of options['image-files'] ? platforms : []) {
  const why = whyNoImages({ docker, arch, base: bases.BASE });
  if (why === undefined) continue;
  console.error(why);
  process.exit(1);
}
const folder = join(resolve(options.out ?? join(root, 'out', 'release')), version);
// Where the Dockerfile finds them, so that images contain the same bundles.
const bundles = join(root, 'out', 'bundle');
const work = join(folder, 'work');
for (const each of [folder, bundles]) rmSync(each, { recursive: true, force: true });
mkdirSync(work, { recursive: true });

const time = Number(git(root, 'log', '-1', '--format=%ct'));
run(process.execPath, ['scripts/bundle.mjs', '--out', bundles, '--version', version]);
for (const name of readdirSync(bundles)) {
  const programs = join(bundles, name);
  const file = join(folder, `skolo-${name}-${version}.tar.gz`);
  writeTarball({ bundle: programs, time, file });
  const [bill = ''] = globSync('opt/skolo/*/*/sbom.cdx.json', { cwd: programs });
  copyFileSync(join(programs, bill), join(folder, `skolo-${name}-${version}.cdx.json`));
}
run(
  'npm',
  ['pack', '--silent', '--pack-destination', folder],
  {},
  join(bundles, 'cli/opt/skolo/packages/cli'),
);
for (const [arch, platform] of platforms) {
  const { node, nodeLicence } = nodeFor(platform, work);
  const file = join(folder, `skolo_${version}_${arch}.deb`);
  writeDebianPackage({ bundles, node, nodeLicence, arch, version, time, file });
}
rmSync(work, { recursive: true });
if (options['image-files']) {
  for (const [arch] of platforms) {
    await writeImages({
      docker,
      images: new Map(targets().map((target) => [target, imageName(target)])),
      version,
      arch,
      args: { BASE: bases.BASE },
      time,
      file: join(folder, `skolo-images-${version}-${arch}.tar`),
    });
  }
}
writeFileSync(join(folder, 'source-files.md'), sourceFilesPage(readSources(root)));
writeFileSync(join(folder, 'commit.txt'), `${git(root, 'rev-parse', 'HEAD')}\n`);
writeFileSync(join(folder, 'SHA256SUMS'), await checksums());
if (options.key) {
  const sums = join(folder, 'SHA256SUMS');
  run('ssh-keygen', ['-q', '-Y', 'sign', '-f', options.key, '-n', 'skolo', sums]);
}
console.log(
  `release ${version} of commit ${git(root, 'rev-parse', '--short', 'HEAD')} is in ${folder}`,
);

/** In the format that `sha256sum -c` reads. */
async function checksums() {
  let text = '';
  for (const name of readdirSync(folder).sort()) {
    if (name !== 'SHA256SUMS') text += `${await sha256OfFile(join(folder, name))}  ${name}\n`;
  }
  return text;
}

/**
 * @param {string[]} args
 * @param {string} [input]
 */
function docker(args, input = '') {
  const env = { ...process.env, DOCKER_BUILDKIT: '1' };
  return execFileSync('docker', args, { encoding: 'utf8', env, input });
}

/** @param {string} target */
function imageName(target) {
  return `${process.env.PREFIX ?? 'skolo/'}${target}:${version}`;
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
