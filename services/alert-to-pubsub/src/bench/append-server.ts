/**
 * The least that a durable intake can be: a server that appends what it is sent to a file, with one sync for all that
 * waits, and answers then. It understands nothing of it.
 */
import { open } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';

const [file = ''] = process.argv.slice(2);
const log = await open(file, 'a');
let waiting: { body: Buffer; response: ServerResponse }[] = [];
let isWriting = false;

async function write() {
  isWriting = true;
  while (waiting.length > 0) {
    const group = waiting;
    waiting = [];
    await log.write(Buffer.concat(group.map(({ body }) => body)));
    await log.datasync();
    for (const { response } of group) response.end();
  }
  isWriting = false;
}

const server = createServer((request, response) => {
  const parts: Buffer[] = [];
  request.on('data', (part: Buffer) => parts.push(part));
  request.on('end', () => {
    waiting.push({ body: Buffer.concat(parts), response });
    if (!isWriting) void write();
  });
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('it has no port');
  process.stdout.write(`${JSON.stringify({ msg: 'listening', port: address.port })}\n`);
});
process.on('SIGTERM', () => process.exit(0));
