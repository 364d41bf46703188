#!/usr/bin/env node
// Only syntax that Node 14 reads, too: this file has to say that Node is too old.
import { existsSync } from 'node:fs';

if (existsSync(new URL('../src/main.ts', import.meta.url))) {
  await import('../../../scripts/skolo.mjs');
} else if (Number(process.versions.node.split('.')[0]) < 22) {
  console.error(`skolo: Node ${process.versions.node} is too old; install Node 22 or newer`);
  process.exitCode = 1;
} else {
  await import('../dist/main.js');
}
