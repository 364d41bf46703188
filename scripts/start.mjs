/** `npm start`: installs and builds what is missing, then runs a rack on this computer. */
import { join } from 'node:path';
import { runChild } from './child.mjs';
import { ensureBuilt, ensureInstalled, root } from './ensure.mjs';

ensureInstalled();
ensureBuilt();
const demo = join(root, 'test', 'demo', 'dist', 'main.js');
const { exitCode } = await runChild(process.execPath, [demo, ...process.argv.slice(2)]);
process.exitCode = exitCode;
