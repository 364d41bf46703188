/** Decides which Node is in the Debian package: the version that makes the release, for each platform. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../node.mjs';

/**
 * The Node binary for a platform, and its licence: the installed npm package, or the same version for another platform, whose checksum npm
 * verifies.
 *
 * @param {string} platform
 * @param {string} work a directory
 */
export function nodeFor(platform, work) {
  const name = `node-${platform}`;
  const { node: version } = process.versions;
  const installed = join(root, 'node_modules', name);
  if (existsSync(installed) && versionOf(installed) === version) return filesOfNode(installed);
  execFileSync('npm', ['pack', '--silent', `${name}@${version}`], { cwd: work, stdio: 'inherit' });
  const folder = join(work, name);
  mkdirSync(folder);
  execFileSync('tar', ['-xzf', `${name}-${version}.tgz`, '-C', folder, '--strip-components=1'], {
    cwd: work,
  });
  return filesOfNode(folder);
}

/** @param {string} folder */
function filesOfNode(folder) {
  return { node: join(folder, 'bin/node'), nodeLicence: join(folder, 'LICENSE') };
}

/** @param {string} folder */
function versionOf(folder) {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).version;
}
