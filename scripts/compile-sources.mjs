/**
 * `node compile-sources.mjs [FOLDER]`: strips and compiles the sources of all packages into Node's compile cache
 * (NODE_COMPILE_CACHE), and runs none of them. `npm test` does it once in a fresh clone. Otherwise each of its processes does it
 * for itself, and writes the same thousands of files.
 */
import { globSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from './node.mjs';

/** Node compiles all that a module imports before it looks for what that exports, and runs nothing where it is missing. */
const missing = 'nothingHasThisName';

const [, , cwd = root] = process.argv;
const imports = globSync('{packages,services,test}/*/src/**/*.ts', { cwd })
  .filter((file) => !file.endsWith('.test.ts'))
  .map((file) => `import ${JSON.stringify(pathToFileURL(resolve(cwd, file)).href)};`);
const module = `${imports.join('')} import { ${missing} } from 'node:path';`;
await import(`data:text/javascript,${encodeURIComponent(module)}`).catch((error) => {
  // It is for speed only. What is wrong with a source, its tests say.
  if (!String(error).includes(missing)) console.log(`Not all sources are compiled: ${error}`);
});
flushCompileCache();
