/** esbuild plugins for cases in which its output would behave differently from Node. */
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, extname, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from '../node.mjs';

/**
 * Without ssh2's native modules: it falls back to Node's crypto and skips CPU detection. ssh2 tries to load both and catches the error.
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
 * zod exports its messages in all languages as one namespace that bundlers cannot tree-shake: 0.3 MB, loaded at each start. Keeps only
 * English.
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
 * Express loads parsers of bodies and queries, a server of files and a list of all media types: 0.8 MB at each start. The stages of skolo's
 * servers (packages/common/src/http) use none of them.
 *
 * @type {import('esbuild').Plugin}
 */
export const onlyStagesOfExpress = {
  name: 'only-stages-of-express',
  setup(build) {
    build.onResolve({ filter: /^(body-parser|serve-static|qs|mime-db)$/ }, ({ path, importer }) =>
      /\/node_modules\/(express|mime-types)\//.test(importer)
        ? { path, namespace: 'empty' }
        : undefined,
    );
    build.onLoad({ filter: /.*/, namespace: 'empty' }, () => ({
      contents: 'module.exports = {};',
    }));
  },
};

/**
 * A model's facts import its driver lazily. Few bundles load drivers, which bring in ssh, SNMP and MQTT.
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
 * The version that programs report (packages/common/src/process/version.ts).
 *
 * @param {string} version
 * @returns {import('esbuild').Plugin}
 */
export const withVersion = (version) => ({
  name: 'with-version',
  setup(build) {
    build.onLoad({ filter: /\/packages\/common\/package\.json$/ }, () => ({
      contents: JSON.stringify({ version }),
      loader: 'json',
    }));
  },
});

/**
 * `await import()` of CommonJS: Node detects the named exports, esbuild only the default. This gives each such package the names that Node
 * detects.
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
      // Not `found`: it lacks the package's module type, and esbuild keeps the result of a file's first importer.
      if (!isFile || !isCommonJs(found.path)) return undefined;
      // Relative to the repository root, whose path must not be in the bundle.
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

/**
 * Puts the files that `script` of @skolo/base reads into the bundle, as strings.
 *
 * @type {import('esbuild').Plugin}
 */
export const withScripts = {
  name: 'with-scripts',
  setup(build) {
    build.onLoad({ filter: /\/(packages|services)\/[^/]+\/src\/.*\.ts$/ }, ({ path }) => {
      const contents = readFileSync(path, 'utf8').replace(
        /\bscript\(\s*new URL\('(\.[\w./-]+)', import\.meta\.url\),?\s*\)/g,
        (_, file) => JSON.stringify(readFileSync(join(dirname(path), file), 'utf8')),
      );
      return { contents, loader: 'ts' };
    });
  },
};
