/**
 * Writes a signed apt repository. Sources: https://wiki.debian.org/DebianRepository/Format, sources.list(5), apt-secure(8).
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, globSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { sha256, sha256OfFile } from '@skolo/base';
import { inTempFolder } from '../release/temp-folder.mjs';

const pool = 'pool/main/s/skolo';
const suite = 'dists/stable';

/**
 * Adds packages to a repository, which it creates if it does not exist, and signs the index of all packages in it. Repeat it after an
 * interruption: until the last file is written, apt uses the previous index.
 *
 * @param {object} wanted
 * @param {string} wanted.folder of the repository
 * @param {string[]} wanted.packages files to add
 * @param {string} wanted.key fingerprint of the OpenPGP key, which gpg has
 * @param {string} wanted.url where people get the repository, for skolo.sources
 * @throws {Error} a different file with the same name was published, or gpg cannot sign
 */
export async function writeAptRepository({ folder, packages, key, url }) {
  for (const file of packages) {
    const published = join(folder, pool, basename(file));
    const known = statSync(published, { throwIfNoEntry: false });
    if (known && (await sha256OfFile(published)) !== (await sha256OfFile(file))) {
      throw new Error(
        `${published}: this version was published with other bytes; publish a new version instead`,
      );
    }
    mkdirSync(dirname(published), { recursive: true });
    copyFileSync(file, published);
  }
  const stanzas = new Map();
  for (const path of globSync(`${pool}/*.deb`, { cwd: folder }).sort()) {
    const { arch, stanza } = await stanzaOf(folder, path);
    stanzas.set(arch, `${stanzas.get(arch) ?? ''}${stanza}\n`);
  }
  const sums = [];
  for (const [arch, text] of stanzas) {
    const path = `main/binary-${arch}/Packages`;
    const sum = sha256(text);
    write(join(folder, suite, path), text);
    // A client that has the previous index still finds the files that it names.
    write(join(folder, suite, dirname(path), 'by-hash/SHA256', sum), text);
    sums.push(` ${sum} ${Buffer.byteLength(text)} ${path}`);
  }
  const armored = gpg('--armor', '--export', key);
  write(join(folder, 'skolo.asc'), armored);
  write(
    join(folder, 'skolo.sources'),
    fields({
      Types: 'deb',
      URIs: url,
      Suites: 'stable',
      Components: 'main',
      'Signed-By': '/etc/apt/keyrings/skolo.asc',
    }),
  );
  const release = fields({
    Origin: 'skolo',
    Label: 'skolo',
    Suite: 'stable',
    Codename: 'stable',
    Date: new Date().toUTCString(),
    Architectures: [...stanzas.keys()].join(' '),
    Components: 'main',
    'Acquire-By-Hash': 'yes',
    SHA256: `\n${sums.join('\n')}`,
  });
  sign(join(folder, suite), release, key);
}

/**
 * @param {string} folder
 * @param {string} path of a package, relative to it
 */
async function stanzaOf(folder, path) {
  const file = join(folder, path);
  const control = execFileSync('dpkg-deb', ['--field', file], { encoding: 'utf8' });
  const arch = /^Architecture: (.*)$/m.exec(control)?.[1] ?? '';
  const place = { Filename: path, Size: statSync(file).size, SHA256: await sha256OfFile(file) };
  return { arch, stanza: `${control}${fields(place)}` };
}

/**
 * The signed index replaces the previous one as a whole.
 *
 * @param {string} folder
 * @param {string} text
 * @param {string} key
 */
function sign(folder, text, key) {
  inTempFolder((work) => {
    const [release, signed, ring] = [
      join(work, 'Release'),
      join(work, 'InRelease'),
      join(work, 'ring'),
    ];
    write(release, text);
    gpg('--local-user', key, '--digest-algo', 'SHA512', '--clearsign', '-o', signed, release);
    gpg('--output', ring, '--export', key);
    execFileSync('gpgv', ['--quiet', '--keyring', ring, signed], { stdio: 'pipe' });
    write(join(folder, 'InRelease'), readFileSync(signed, 'utf8'));
  });
}

/** @param {string[]} args */
function gpg(...args) {
  return execFileSync('gpg', ['--batch', '--yes', '--quiet', ...args], {
    encoding: 'utf8',
    stdio: ['inherit', 'pipe', 'inherit'],
  });
}

/** @param {Record<string, string | number>} values */
function fields(values) {
  return Object.entries(values)
    .map(([key, value]) => `${key}: ${value}\n`)
    .join('')
    .replaceAll(/: \n/g, ':\n');
}

/**
 * Readable for everyone: apt reads it as the user _apt.
 *
 * @param {string} file
 * @param {string} text
 */
function write(file, text) {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text, { mode: 0o644 });
}
