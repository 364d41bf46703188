/** Where esbuild alone would make something that Node does not. */
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, extname, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from '../node.mjs';

/**
 * ssh2 does without: Node's own cryptography, and no look at what the processor can do best. It tries both, and catches.
 *
 * @type {import('esbuild').Plugin}
 */
export const leftOut = {
  name: 'left-out',
  setup(build) {
    build.onResolve({ filter: /^cpu-features$|\/sshcrypto\.node$/ }, ({ path }) => ({
      path,
      namespace: 'left-out',
    }));
    build.onLoad({ filter: /.*/, namespace: 'left-out' }, ({ path }) => ({
      contents: `throw new Error(${JSON.stringify(`${path} is not in the bundle`)});`,
    }));
  },
};

/**
 * zod exports its messages in all languages as one namespace that no bundler can split: 0.3 MB, loaded at each start. English remains.
 *
 * @type {import('esbuild').Plugin}
 */
export const englishOnly = {
  name: 'english-only',
  setup(build) {
    build.onLoad({ filter: /\/zod\/v4\/locales\/index\.js$/ }, () => ({
      contents: `export { default as en } from './en.js';`,
    }));
  },
};

/**
 * The facts of a model import its driver, which few bundles load: with it come ssh, SNMP and MQTT.
 *
 * @type {import('esbuild').Plugin}
 */
export const withoutDrivers = {
  name: 'without-drivers',
  setup(build) {
    build.onResolve({ filter: /\.ts$/ }, ({ path, kind, importer }) =>
      kind === 'dynamic-import' && basename(importer) === 'facts.ts'
        ? { path, namespace: 'left-out' }
        : undefined,
    );
  },
};

/**
 * `await import()` of CommonJS: Node finds the names that it exports, esbuild only the default. So each such package is
 * given the names that Node finds.
 *
 * @type {import('esbuild').Plugin}
 */
export const namesOfCommonJs = {
  name: 'names-of-commonjs',
  setup(build) {
    build.onResolve({ filter: /^[^./]/ }, async ({ path, kind, resolveDir }) => {
      if (kind !== 'dynamic-import') return undefined;
      const found = await build.resolve(path, { kind: 'import-statement', resolveDir });
      const isFile = found.errors.length === 0 && !found.external && found.namespace === 'file';
      // Not `found`: it lacks the type of the file's package, and esbuild keeps what the first importer of a file brings.
      if (!isFile || !isCommonJs(found.path)) return undefined;
      // From the top of the repository: its name is not to be in the bundle.
      return { path: relative(root, found.path), namespace: 'names-of-commonjs' };
    });
    build.onLoad({ filter: /.*/, namespace: 'names-of-commonjs' }, async ({ path }) => {
      const all = Object.keys(await import(pathToFileURL(join(root, path)).href));
      const names = all.filter((name) => /^[\w$]+$/.test(name) && name !== 'default').sort();
      return {
        contents: `const all = require(${JSON.stringify(`./${basename(path)}`)});
          export default all;
          export const { ${names.join(', ')} } = all;`,
        resolveDir: dirname(join(root, path)),
      };
    });
  },
};

/** @param {string} path */
function isCommonJs(path) {
  if (extname(path) !== '.js') return extname(path) === '.cjs';
  let folder = dirname(path);
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).type !== 'module';
}
