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
  const child = spawn(node, [main, ...process.argv.slice(2)], { stdio: 'inherit', env });
  // Ctrl-C reaches both processes. The command decides when to exit.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? 1;
    if (signal === null) return;
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}
