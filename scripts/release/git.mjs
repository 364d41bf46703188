import { execFileSync } from 'node:child_process';

/**
 * Runs git, and returns what it prints, without the end of the last line. It throws if git fails.
 *
 * @param {string} root
 * @param {string[]} args
 */
export function git(root, ...args) {
  const options = /** @type {const} */ ({ cwd: root, encoding: 'utf8', maxBuffer: 1 << 26 });
  return execFileSync('git', args, options).trim();
}
