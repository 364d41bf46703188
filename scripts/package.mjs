/**
 * `npm run package`: the Debian package of this clone as it is, for this computer's architecture, in `out`. Compressed by Zstandard, in
 * seconds; a release takes minutes to compress it to two thirds of the size.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './node.mjs';
import { writeDebianPackage } from './release/debian-package.mjs';
import { nodeFor } from './release/node-for.mjs';
import { inTempFolder } from './release/temp-folder.mjs';

const arch = process.arch === 'arm64' ? 'arm64' : 'amd64';
/** @type {string} */
const version = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version;
inTempFolder((work) => {
  console.log('1 of 2: bundling the command and the services');
  const bundles = join(work, 'bundles');
  execFileSync(process.execPath, [join(root, 'scripts/bundle.mjs'), '--out', bundles], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  console.log('2 of 2: writing the package');
  const file = join(root, 'out', `skolo_${version}_${arch}.deb`);
  const { node, nodeLicence } = nodeFor(`linux-${process.arch}`, work);
  const time = Math.floor(Date.now() / 1000);
  writeDebianPackage({
    bundles,
    node,
    nodeLicence,
    arch,
    version,
    time,
    file,
    compression: 'zstd',
  });
  console.log(`to install it: sudo apt install ${file}`);
});
