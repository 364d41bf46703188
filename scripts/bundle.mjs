/**
 * `npm run bundle [-- NAME…]`: each service, and the command, with all that it needs of node_modules, as images and
 * systemd units have it: `out/bundle/NAME` is a part of a root file system. Same commit, same bytes.
 *
 * --out FOLDER         instead of out/bundle
 * --version VERSION    what it says of itself, instead of the version in package.json
 * --json               prints the table for programs
 * --no-build           of what is built already
 */
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ensureBuilt, ensureInstalled, root } from './ensure.mjs';

const usage =
  'usage: npm run bundle [-- [--out FOLDER] [--version VERSION] [--json] [--no-build] NAME…]';

const { values: options, positionals: names } = readOptions();
ensureInstalled();
// Only now: esbuild and packages of our own are needed from here on.
const { bundles } = await import('./bundle/bundles.mjs');
const wanted = bundles.filter(({ name }) => names.length === 0 || names.includes(name));
const unknown = names.filter((name) => !bundles.some((bundle) => bundle.name === name));
if (unknown.length > 0) {
  refuse(`no ${unknown.join(', ')} here, but ${bundles.map(({ name }) => name).join(', ')}`);
}
if (!options['no-build']) ensureBuilt(wanted.map(({ folder }) => `./${folder}`));
const { writeBundle } = await import('./bundle/write-bundle.mjs');
const { sizeTable } = await import('./bundle/sizes.mjs');

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
        'no-build': { type: 'boolean' },
      },
    });
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
}

/**
 * @param {string} message
 * @returns {never}
 */
function refuse(message) {
  console.error(`${message}\n${usage}`);
  process.exit(2);
}
