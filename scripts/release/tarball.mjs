/** Packs a program as a tarball, to be unpacked in /. */
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join, relative } from 'node:path';

/**
 * Unpacked as root in /, it adds files and changes no directory. The agent's `.dockerenv` belongs only in its image: on a machine, it would
 * make other programs believe that they are in a container. The same files produce the same bytes, in any directory.
 *
 * @param {object} wanted
 * @param {string} wanted.bundle root file system with the program
 * @param {number} wanted.time of the commit, in seconds since 1970: the only time in the tarball
 * @param {string} wanted.file to write
 */
export function writeTarball({ bundle, time, file }) {
  const files = readdirSync(bundle, { recursive: true, withFileTypes: true })
    .filter((each) => each.isFile() && each.name !== '.dockerenv')
    .map((each) => relative(bundle, join(each.parentPath, each.name)))
    .sort();
  const settled = [`--mtime=@${time}`, '--owner=0', '--group=0', '--numeric-owner'];
  const args = [...settled, '--use-compress-program=gzip -n', '-cf', file, '-C', bundle];
  execFileSync('tar', [...args, '--files-from', '-'], { input: files.join('\n') });
}
