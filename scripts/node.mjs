/**
 * Decides which Node runs our sources: 24 or newer, which runs TypeScript directly. npm installs it (optionalDependencies in
 * package.json). This file itself runs on any Node that npm supports.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));

/** Node's compile cache for our sources, so that the next start need not strip and compile them again. */
export const compileCache = join(root, 'node_modules', '.cache', 'node');

/**
 * The path of a Node that runs our sources: the current one if it can, otherwise the one that npm has installed.
 *
 * @param {Pick<NodeJS.Process, 'versions' | 'execPath' | 'platform' | 'arch'>} [current]
 * @param {string} [folder] with node_modules
 * @throws {Error} if there is none
 */
export function findNode(current = process, folder = root) {
  const { versions, execPath, platform, arch } = current;
  if (Number(versions.node.split('.')[0]) >= 24) return execPath;
  const installed = join(folder, 'node_modules', `node-${platform}-${arch}`, 'bin', 'node');
  if (existsSync(installed)) return installed;
  throw new Error(
    `skolo needs Node 24 or newer, and this is ${versions.node} (${execPath}). ` +
      `Run npm ci; if ${installed} is missing then, npm has no Node for ${platform}-${arch}: install it, see https://nodejs.org/`,
  );
}
