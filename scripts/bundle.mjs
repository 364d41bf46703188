/**
 * `npm run bundle [-- NAME…]`: bundles each service and the command with their dependencies, for images and systemd units:
 * `out/bundle/NAME` is part of a root file system. Builds are reproducible.
 *
 * --out FOLDER         instead of out/bundle
 * --version VERSION    version that programs print, instead of the one in package.json
 * --json               prints the table for programs
 */
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { bundles } from './bundle/bundles.mjs';
import { sizeTable } from './bundle/sizes.mjs';
import { writeBundle } from './bundle/write-bundle.mjs';
import { root } from './node.mjs';

const usage = 'usage: npm run bundle [-- [--out FOLDER] [--version VERSION] [--json] NAME…]';

const { values: options, positionals: names } = readOptions();
const wanted = bundles.filter(({ name }) => names.length === 0 || names.includes(name));
const unknown = names.filter((name) => !bundles.some((bundle) => bundle.name === name));
if (unknown.length > 0) {
  reject(`no ${unknown.join(', ')} here, but ${bundles.map(({ name }) => name).join(', ')}`);
}

const out = resolve(options.out ?? join(root, 'out', 'bundle'));
const sizes = [];
for (const bundle of wanted) {
  sizes.push(await writeBundle(bundle, join(out, bundle.name), options.version));
}
console.log(options.json ? JSON.stringify(sizes) : sizeTable(sizes));

function readOptions() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        out: { type: 'string' },
        version: { type: 'string' },
        json: { type: 'boolean' },
      },
    });
  } catch (error) {
    return reject(error instanceof Error ? error.message : String(error));
  }
}

/**
 * @param {string} message
 * @returns {never}
 */
function reject(message) {
  console.error(`${message}\n${usage}`);
  process.exit(2);
}
