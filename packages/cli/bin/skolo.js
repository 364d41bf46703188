#!/usr/bin/env node
// Only syntax that Node 14 reads, too: this file has to say that Node is too old.
import { existsSync } from 'node:fs';

const [major, minor] = process.versions.node.split('.').map(Number);
if (existsSync(new URL('../src/main.ts', import.meta.url))) {
  await import('../../../scripts/skolo.mjs');
} else if (major < 22 || (major === 22 && minor < 15)) {
  console.error(`skolo: Node ${process.versions.node} is too old; install Node 22.15 or newer`);
  process.exitCode = 1;
} else {
  await import('../dist/main.js');
}
