/** `skolo` as one file, with Node in it. */
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from '../node.mjs';

/** What Node looks for in itself (https://nodejs.org/docs/latest-v24.x/api/single-executable-applications.html). */
const resource = 'NODE_SEA_BLOB';
const fuse = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';

/** Errors are in what is thrown. @type {import('node:child_process').ExecFileSyncOptions} */
const quiet = { stdio: 'pipe' };

/**
 * Writes an executable.
 *
 * @param {string} bundle root file system with the bundle of the command
 * @param {string} node binary of Node 24 for Linux, of any processor
 * @param {string} file
 */
export function writeExecutable(bundle, node, file) {
  const command = join(bundle, 'opt/skolo/packages/cli');
  const dist = join(command, 'dist');
  const work = mkdtempSync(join(tmpdir(), 'skolo-executable-'));
  try {
    const assets = Object.fromEntries(readdirSync(dist).map((name) => [name, join(dist, name)]));
    const config = {
      main: join(import.meta.dirname, 'executable-main.cjs'),
      output: join(work, 'blob'),
      disableExperimentalSEAWarning: true,
      assets: { ...assets, 'package.json': join(command, 'package.json') },
    };
    writeFileSync(join(work, 'config.json'), JSON.stringify(config));
    // It has no code of a processor, so that one blob is for all of them.
    execFileSync(process.execPath, ['--experimental-sea-config', join(work, 'config.json')], quiet);
    copyFileSync(node, file);
    chmodSync(file, 0o755);
    const postject = join(root, 'node_modules/.bin/postject');
    const into = [file, resource, config.output, '--sentinel-fuse', fuse];
    execFileSync(process.execPath, [postject, ...into], quiet);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
