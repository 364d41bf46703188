#!/usr/bin/env node
import('../dist/main.js').catch((error) => {
  if (error?.code !== 'ERR_MODULE_NOT_FOUND') throw error;
  console.error('skolo is not built yet. Run: npm run build');
  process.exitCode = 1;
});
