import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RunningAgent } from './agent.ts';
import { startAgentHere } from './testing/agent-here.ts';

let agent: RunningAgent;
let stateDir: string;
const sockets: Socket[] = [];

/** Of a machine that nobody knows: it runs no bot. */
beforeEach(async () => {
  stateDir = await mkdtemp(join(tmpdir(), 'skolo-doors-'));
  agent = await startAgentHere({ metadataUrl: 'http://127.0.0.1:9', stateDir });
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await agent.stop({ isHurried: true });
  await rm(stateDir, { recursive: true });
});

function open(port: number): Socket {
  const socket = connect(port, '127.0.0.1').on('error', () => undefined);
  sockets.push(socket);
  return socket;
}

describe.each(['port', 'hookPort', 'metricsPort'] as const)('%s', (door) => {
  it('rejects a request with more headers than Node reads, and one with two hosts', async () => {
    const many = open(agent[door]);
    const host = 'Host: 127.0.0.1';
    many.write(
      ['GET / HTTP/1.1', host, ...Array(1000).fill('a:b'), 'Origin: x', '', ''].join('\r\n'),
    );
    const twice = open(agent[door]);
    twice.write(['GET / HTTP/1.1', host, 'Host: evil.example', '', ''].join('\r\n'));

    expect(await text(many)).toMatch(/^HTTP\/1\.1 431 .*send fewer/s);
    expect(await text(twice)).toMatch(/^HTTP\/1\.1 400 .*more than one header host/s);
  });
});

describe.each(['port', 'metricsPort'] as const)('%s', (door) => {
  it.each(['//', 'http://[', '*'])('refuses %s, which nothing is served at', async (path) => {
    const socket = open(agent[door]);
    socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n`);

    expect(await text(socket)).toMatch(/^HTTP\/1\.1 40[04] /);
  });

  it('keeps descriptors for the bot and its devices, however many connect', async () => {
    const many = Array.from({ length: 200 }, () => open(agent[door]));

    const refused = many.map((socket) => once(socket, 'close'));
    await Promise.any(refused);
    await expect.poll(() => many.filter(({ destroyed }) => destroyed).length).toBe(200 - 64);
  });
});
