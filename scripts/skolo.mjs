/** Runs the command from its sources: in this process if its Node can, otherwise in a child process on Node 24. */
import { spawn } from 'node:child_process';
import module from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { findNodeOrQuit } from './ensure.mjs';
import { compileCache, root } from './node.mjs';

const main = join(root, 'packages', 'cli', 'src', 'main.ts');
const node = findNodeOrQuit();
if (node === process.execPath) {
  module.enableCompileCache(compileCache);
  await import(pathToFileURL(main).href);
} else {
  const env = { NODE_COMPILE_CACHE: compileCache, ...process.env };
  // Before the start, during which a signal would end this process alone. Ctrl-C reaches both: the command decides when to exit.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  const child = spawn(node, [main, ...process.argv.slice(2)], { stdio: 'inherit', env });
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? 1;
    if (signal === null) return;
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}
