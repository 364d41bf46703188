import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { tempDir } from '@skolo/base/testing';
import { readRack } from '@skolo/rack';
import { freeTcpPort } from '@skolo/simulators/free-port';
import { expect, it, onTestFinished, vi } from 'vitest';
import { startEquipment } from './equipment.ts';

const minuteMs = 60_000;

/** A rack whose only switch is the one that hangs, without machines. */
async function switchAlone() {
  const dir = await tempDir();
  const port = await freeTcpPort();
  const file = join(dir, 'rack.yaml');
  await writeFile(join(dir, 'password'), 'secret');
  await writeFile(
    file,
    `rack: mine
jumphost: { name: jumphost-mine, address: 127.0.0.1 }
logins: { switches: { username: admin, password: password } }
equipment:
  switch-3: { model: edgeswitch, address: 127.0.0.1, ports: { ssh: ${port} }, login: switches }
`,
  );
  return { rack: await readRack(file), dir, port };
}

async function isOpen(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

it('a switch hangs once, five minutes after all of the rack is there, and is mended', async () => {
  const { rack, dir, port } = await switchAlone();
  vi.useFakeTimers({ toFake: ['Date', 'setInterval', 'clearInterval'] });
  onTestFinished(() => void vi.useRealTimers());
  const equipment = await startEquipment({
    host: '127.0.0.1',
    onProblem: (text) => expect.fail(text),
    computer: undefined,
  });
  onTestFinished(() => equipment.close());
  // A busy computer.
  vi.advanceTimersByTime(6 * minuteMs);
  await equipment.follow(rack, dir);
  const isThere = () => isOpen(port);

  vi.advanceTimersByTime(4 * minuteMs);
  expect(await isThere()).toBe(true);
  vi.advanceTimersByTime(2 * minuteMs);
  await expect.poll(isThere).toBe(false);
  vi.advanceTimersByTime(15 * minuteMs);
  await expect.poll(isThere).toBe(true);
});
