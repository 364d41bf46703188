#!/usr/bin/env node
// Only what a Node from ten years ago reads, too: it has to say that it is too old.
var least = [20, 19];
var version = process.versions.node.split('.').map(Number);
if (version[0] < least[0] || (version[0] === least[0] && version[1] < least[1])) {
  console.error(
    'skolo: Node ' +
      process.versions.node +
      ' is too old; install Node ' +
      least.join('.') +
      ' or newer',
  );
  process.exitCode = 1;
} else {
  import('../dist/main.js').catch((error) => {
    if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
    console.error('skolo is not built yet. Run: npm run build');
    process.exitCode = 1;
  });
}
