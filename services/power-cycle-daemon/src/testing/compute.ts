/** `node --import`: whoever sends `compute 5000 ms` to this process keeps its main thread busy, as a message does that a parser is slow for. */
import { writeSync } from 'node:fs';
import { Socket } from 'node:net';

function compute(ms: number): void {
  const before = process.threadCpuUsage();
  let used = 0;
  while (used < ms * 1000) {
    const { user, system } = process.threadCpuUsage(before);
    used = user + system;
  }
}

const { push } = Socket.prototype;
Socket.prototype.push = function computing(chunk: unknown, encoding?: BufferEncoding) {
  const ms = /compute (\d+) ms/.exec(Buffer.isBuffer(chunk) ? chunk.toString('latin1') : '')?.[1];
  if (ms !== undefined) {
    writeSync(1, '{"msg":"computing"}\n');
    compute(Number(ms));
  }
  return push.call(this, chunk, encoding);
};
