/**
 * Builds the Debian package: the command, all services with their units, and Node, in /usr/lib/skolo/VERSION. Installing it starts nothing.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { licenceTexts } from '../bundle/third-parties.mjs';
import { settle } from '../bundle/write-bundle.mjs';
import { root } from '../node.mjs';
import { billWithNode, nodeItself } from './bills.mjs';
import { placeholder, readOwner } from './owner.mjs';

/**
 * @typedef {object} Package
 * @property {string} bundles directory with a bundle of each program
 * @property {string} node Node binary for the architecture
 * @property {string} nodeLicence file with its licence
 * @property {'amd64' | 'arm64'} arch
 * @property {string} version
 * @property {number} time of the commit, in seconds since 1970: the only time in the package
 * @property {string} file to write
 * @property {'xz' | 'zstd' | 'none'} [compression] the default, xz, takes minutes on a slow computer
 */

/**
 * Writes `skolo_VERSION_ARCH.deb`, and its bill of materials next to it, as `.cdx.json`. The same input produces the same bytes, in any
 * directory.
 *
 * @param {Package} wanted
 */
export function writeDebianPackage({ compression = 'xz', ...wanted }) {
  const tree = `${wanted.file}.tree`;
  rmSync(tree, { recursive: true, force: true });
  try {
    writePrograms(tree, wanted);
    writeControl(tree, wanted);
    settle(tree);
    setTimes(tree, wanted.time);
    const args = ['--root-owner-group', `-Z${compression}`, '--build', tree, wanted.file];
    execFileSync('dpkg-deb', args, {
      stdio: 'pipe',
      env: { ...process.env, SOURCE_DATE_EPOCH: String(wanted.time) },
    });
  } finally {
    rmSync(tree, { recursive: true, force: true });
  }
}

/**
 * @param {string} tree
 * @param {Package} wanted
 */
function writePrograms(tree, { bundles, node, nodeLicence, arch, version, file }) {
  const folder = join(tree, 'usr/lib/skolo', version);
  for (const name of readdirSync(bundles).sort()) {
    // The fallback belongs to k3s; `skolo jumphost prepare` installs it.
    if (name === 'fallback') continue;
    cpSync(join(bundles, name, 'opt/skolo'), folder, { recursive: true });
  }
  put(node, join(folder, 'bin/node'), 0o755);
  for (const unit of readdirSync(join(root, 'deploy/systemd'))) {
    put(join(root, 'deploy/systemd', unit), join(folder, 'deploy/systemd', unit), 0o644);
  }
  const itself = nodeItself(nodeLicence);
  write(join(folder, 'third-parties.txt'), licenceTexts([itself]));
  const purl = `pkg:deb/skolo@${version}?arch=${arch}`;
  const bill = billWithNode(
    { name: 'skolo', version, license: 'Apache-2.0', purl },
    itself,
    folder,
  );
  for (const path of [join(folder, 'sbom.cdx.json'), file.replace(/deb$/, 'cdx.json')])
    write(path, bill);
  write(join(folder, 'VERSION'), `${version}\n`);
  // Changes with any file, so that a build replaces another one of the same version.
  write(join(folder, 'BUILD'), `${digestOf(folder)}\n`);
  const start = `/usr/lib/skolo/${version}`;
  write(
    join(tree, 'usr/bin/skolo'),
    `#!/bin/sh\nexec ${start}/bin/node ${start}/packages/cli/bin/skolo.js "$@"\n`,
    0o755,
  );
  const ours = readFileSync(join(root, 'LICENSE'), 'utf8');
  const others = `Licences of third-party software: ${start}/third-parties.txt for Node, and ${start}/*/*/third-parties.txt for libraries\n`;
  write(join(tree, 'usr/share/doc/skolo/copyright'), `${ours}\n${others}`);
}

/**
 * @param {string} tree
 * @param {Package} wanted
 */
function writeControl(tree, { arch, version }) {
  const { contact } = readOwner(root);
  const address = contact === placeholder ? 'skolo@localhost.invalid' : contact;
  const bytes = filesOf(tree).reduce((sum, file) => sum + statSync(file).size, 0);
  const control = {
    Package: 'skolo',
    Version: version,
    Architecture: arch,
    Maintainer: `skolo maintainers <${address}>`,
    'Installed-Size': Math.ceil(bytes / 1024),
    // The libraries that Node links to, and the commands that its units, `skolo service` and services with any rack.yaml start.
    Depends:
      'git, iproute2, iputils-ping, libc6 (>= 2.28), libstdc++6, libgcc-s1, systemd (>= 250), util-linux',
    // Services and commands start these if rack.yaml requires them.
    Recommends: 'ipmitool, openssh-client',
    // The agent starts these for the phones and the bot of its machine.
    Suggests: 'adb, libimobiledevice-utils, python3, uhubctl',
    Section: 'admin',
    Priority: 'optional',
    Description: `software that runs racks of test machines
 The skolo command, and services for routers, switches, PDUs, test machines
 and alerts. Installing the package does not start any service; to start
 one, run skolo service enable.`,
  };
  const lines = Object.entries(control).map(([key, value]) => `${key}: ${value}\n`);
  write(join(tree, 'DEBIAN/control'), lines.join(''));
  for (const script of ['preinst', 'prerm', 'postrm']) {
    put(join(import.meta.dirname, 'debian', script), join(tree, 'DEBIAN', script), 0o755);
  }
}

/**
 * Gives all files the same time.
 *
 * @param {string} tree
 * @param {number} time
 */
function setTimes(tree, time) {
  for (const name of ['', ...readdirSync(tree, { recursive: true, encoding: 'utf8' })])
    lutimesSync(join(tree, name), time, time);
}

/** @param {string} folder */
function digestOf(folder) {
  const hash = createHash('sha256');
  for (const file of filesOf(folder))
    hash.update(relative(folder, file)).update(readFileSync(file));
  return hash.digest('hex');
}

/** @param {string} folder */
function filesOf(folder) {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((each) => each.isFile())
    .map((each) => join(each.parentPath, each.name))
    .sort();
}

/**
 * @param {string} from
 * @param {string} to
 * @param {number} mode
 */
function put(from, to, mode) {
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(from, to);
  chmodSync(to, mode);
}

/**
 * @param {string} path
 * @param {string} text
 */
function write(path, text, mode = 0o644) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text, { mode });
}
