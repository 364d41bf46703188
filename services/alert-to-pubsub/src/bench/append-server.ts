/**
 * The minimum of a durable intake: a server that appends request bodies to a file, with one sync for all waiting requests, and then
 * answers. It does not interpret them; with `json`, it parses the list and writes each element as a line.
 */
import { open } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';

const [file = '', format] = process.argv.slice(2);
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

function asLines(body: Buffer): Buffer {
  const found: unknown = JSON.parse(body.toString());
  if (!Array.isArray(found)) throw new Error('expected a list');
  return Buffer.from(found.map((one) => `${JSON.stringify(one)}\n`).join(''));
}

const server = createServer((request, response) => {
  const parts: Buffer[] = [];
  request.on('data', (part: Buffer) => parts.push(part));
  request.on('end', () => {
    const body = Buffer.concat(parts);
    waiting.push({ body: format === 'json' ? asLines(body) : body, response });
    if (!isWriting) void write();
  });
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('it has no port');
  process.stdout.write(`${JSON.stringify({ msg: 'listening', port: address.port })}\n`);
});
process.on('SIGTERM', () => process.exit(0));
