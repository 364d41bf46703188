/** Builds `skolo` as a single file that includes Node. */
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from '../node.mjs';

/**
 * The names under which Node looks for the embedded program (https://nodejs.org/docs/latest-v24.x/api/single-executable-applications.html).
 */
const resource = 'NODE_SEA_BLOB';
const fuse = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';

/** Errors are in the exception. @type {import('node:child_process').ExecFileSyncOptions} */
const quiet = { stdio: 'pipe' };

/**
 * Writes an executable.
 *
 * @param {string} bundle root file system with the command's bundle
 * @param {string} node binary of Node 24 for Linux, for any architecture
 * @param {string} file
 */
export function writeExecutable(bundle, node, file) {
  const dist = join(bundle, 'opt/skolo/packages/cli/dist');
  const work = mkdtempSync(join(tmpdir(), 'skolo-executable-'));
  try {
    const assets = Object.fromEntries(readdirSync(dist).map((name) => [name, join(dist, name)]));
    // Node writes the path of `main` into the blob, so it must not name a directory of the builder.
    copyFileSync(join(import.meta.dirname, 'executable-main.cjs'), join(work, 'main.cjs'));
    const config = {
      main: 'main.cjs',
      output: join(work, 'blob'),
      disableExperimentalSEAWarning: true,
      assets,
    };
    writeFileSync(join(work, 'config.json'), JSON.stringify(config));
    // The blob contains no machine code, so the same one works for all architectures.
    const toBlob = ['--experimental-sea-config', 'config.json'];
    execFileSync(process.execPath, toBlob, { ...quiet, cwd: work });
    copyFileSync(node, file);
    chmodSync(file, 0o755);
    const postject = join(root, 'node_modules/.bin/postject');
    const into = [file, resource, config.output, '--sentinel-fuse', fuse];
    execFileSync(process.execPath, [postject, ...into], quiet);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
