/**
 * The parts of node:http that our programs use, without undici. `import … from 'node:http'` reads every export of the module once,
 * and its `WebSocket` loads undici: 14 MB of memory and 80 ms of CPU time in each process (measured on Node 24.21).
 */
export const {
  Agent,
  createServer,
  request,
  STATUS_CODES,
}: Pick<typeof import('node:http'), 'Agent' | 'createServer' | 'request' | 'STATUS_CODES'> =
  process.getBuiltinModule('node:http');
