import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { tempDir } from '@skolo/base/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RunningAgent } from './agent.ts';
import { startAgentHere } from './testing/agent-here.ts';

const rackYaml = `rack: rack4
jumphost: { name: jumphost, address: 127.0.8.8 }
machines: { rpi-1: { kind: rpi, address: 127.0.1.1 } }
`;

let agent: RunningAgent;
let stateDir: string;
const sockets: Socket[] = [];

/** Of a machine that nobody knows: it runs no bot. */
beforeEach(async () => {
  stateDir = await tempDir();
  agent = await startAgentHere({ metadataUrl: 'http://127.0.0.1:9', stateDir });
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await agent.stop({ isHurried: true });
});

function open(port: number, localAddress = '127.0.0.1'): Socket {
  const socket = connect({ port, host: '127.0.0.1', localAddress }).on('error', () => undefined);
  sockets.push(socket);
  return socket;
}

describe.each(['port', 'metricsPort'] as const)('%s', (endpoint) => {
  it('keeps descriptors for the bot and its devices, however many neighbours connect', async () => {
    const many = Array.from({ length: 200 }, (_, i) => open(agent[endpoint], `127.0.3.${i % 9}`));

    await expect.poll(() => many.filter(({ destroyed }) => destroyed).length).toBe(200 - 64);
  });

  it.each([
    ['a program of its machine, such as the kubelet', '127.0.0.1'],
    ['the jumphost', '127.0.8.8'],
  ])('has room for %s, whatever neighbours hold open', async (_, from) => {
    const rackFile = join(stateDir, 'rack.yaml');
    await writeFile(rackFile, rackYaml);
    const known = await startAgentHere({ metadataUrl: 'http://127.0.0.1:9', stateDir, rackFile });
    const caller = open(known[endpoint], from);
    caller.write('GET /openapi.json HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
    await once(caller, 'data');

    const many = Array.from({ length: 100 }, () => open(known[endpoint], '127.0.3.1'));
    await expect.poll(() => many.filter(({ destroyed }) => destroyed).length).toBe(100 - 64);

    expect(caller.closed).toBe(false);
    const next = open(known[endpoint], from);
    next.write('GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n');
    expect(await text(next)).toMatch(/^HTTP\/1\.1 (200|404) /);
    await known.stop({ isHurried: true });
  });
});
