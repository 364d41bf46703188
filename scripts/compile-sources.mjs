/**
 * `node compile-sources.mjs [FOLDER]`: strips and compiles the sources of all packages into Node's compile cache (NODE_COMPILE_CACHE)
 * without running them. `npm test` does it once in a fresh clone. Otherwise each test process would do it, and write the same thousands of
 * files.
 */
import { globSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from './node.mjs';

/** Node compiles all imports of a module before it resolves the exports, and runs nothing if one is missing. */
const missing = 'nothingHasThisName';

const [, , cwd = root] = process.argv;
const imports = globSync('{packages,services,test}/*/src/**/*.ts', { cwd })
  .filter((file) => !file.endsWith('.test.ts'))
  .map((file) => `import ${JSON.stringify(pathToFileURL(resolve(cwd, file)).href)};`);
const module = `${imports.join('')} import { ${missing} } from 'node:path';`;
await import(`data:text/javascript,${encodeURIComponent(module)}`).catch((error) => {
  // Only an optimisation. Tests report faulty sources.
  if (!String(error).includes(missing)) console.log(`Not all sources are compiled: ${error}`);
});
flushCompileCache();
