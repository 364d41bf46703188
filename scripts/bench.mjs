/** A package's `npm run bench`: installs and builds what is missing, then runs the built file that is named. */
import { resolve } from 'node:path';
import { runChild } from './child.mjs';
import { ensureBuilt, ensureInstalled } from './ensure.mjs';

ensureInstalled();
ensureBuilt();
const [file = '', ...args] = process.argv.slice(2);
const { exitCode } = await runChild(process.execPath, [resolve(file), ...args]);
process.exitCode = exitCode;
