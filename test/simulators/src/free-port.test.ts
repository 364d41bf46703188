import { once } from 'node:events';
import { connect } from 'node:net';
import { run } from '@skolo/base/testing';
import { expect, it } from 'vitest';
import { freeTcpPort, freeUdpPort } from './free-port.ts';
import { Listener } from './listener.ts';

async function many(count: number): Promise<number[]> {
  const ports: number[] = [];
  while (ports.length < count) ports.push(await freeTcpPort(), await freeUdpPort());
  return ports;
}

/** Of another process. */
async function others(count: number): Promise<number[]> {
  const module = new URL('free-port.ts', import.meta.url);
  const program = `import { freeTcpPort } from '${module}';
const ports = [];
while (ports.length < ${count}) ports.push(await freeTcpPort());
console.log(JSON.stringify(ports));`;
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', program]);
  return JSON.parse(stdout);
}

/** Rejects where nobody listens. */
async function connected(port: number): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.destroy();
}

it('a port on which nothing listens yet is assigned once, whichever process asks', async () => {
  const mine = await many(150);

  expect([...mine, ...(await others(1000))].filter((port) => mine.includes(port))).toEqual(mine);
});

it('many that ask at once get ports that are reserved', async () => {
  await Promise.all(Array.from({ length: 120 }, () => freeTcpPort()));

  // Of four blocks at most, as many as a process keeps.
  for (const port of await many(200)) await connected(port - (port % 100));
});

it('a port that is closed, and will be opened again, is assigned to nobody else', async () => {
  const listener = new Listener('127.0.0.1', 0, () => undefined);
  await listener.open();
  await listener.close();

  expect([...(await many(150)), ...(await others(1000))]).not.toContain(listener.port);
  await listener.open();
  await listener.close();
});
