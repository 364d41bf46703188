/**
 * `node run.mjs FILE ARGUMENTS…`: installs what is missing, then runs the file on Node 24. Entry point of `npm start`, `npm run bundle` and
 * each `npm run bench`, on any Node ≥ 20.
 */
import { resolve } from 'node:path';
import { runChild } from './child.mjs';
import { ensureInstalled, findNodeOrQuit } from './ensure.mjs';
import { compileCache } from './node.mjs';

ensureInstalled();
const [file = '', ...args] = process.argv.slice(2);
const { exitCode } = await runChild(findNodeOrQuit(), [resolve(file), ...args], {
  env: { NODE_COMPILE_CACHE: compileCache, ...process.env },
});
process.exitCode = exitCode;
