/**
 * The server of adb is killed, again and again, while phones are looked at. `SKOLO_LONG=1`: 200 times; SKOLO_SEED as it
 * was printed shows the same again.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { pause } from '@skolo/base';
import { countRounds, seeded } from '@skolo/base/durable/fault-injection';
import { testSeed } from '@skolo/base/testing';
import { startAdbInstallation } from '@skolo/simulators';
import { expect, it, onTestFinished } from 'vitest';
import { never, startLab } from './testing/lab.ts';

const times = countRounds();
const serial = '0A041FDD4003BB';

it(`survives kill -9 of the server, ${times} times`, async (context) => {
  const installation = await startAdbInstallation({ phones: [{ serial }] });
  if (installation === undefined) return context.skip('adb is not installed');
  onTestFinished(() => installation.close());
  const { open } = await startLab(installation.env);
  const device = open();
  const random = seeded(testSeed());
  await device.read(never);
  const before = descriptors();

  for (let time = 0; time < times; time += 1) {
    const look = device.read(never);
    await pause(random() * 150);
    killIfThere(installation.pid());

    // Whatever it found, it did not throw, and did not wait for long.
    expect(['present', 'missing']).toContain((await look).state);
    await expect.poll(async () => (await device.read(never)).state).toBe('present');
  }

  await expect.poll(descriptors).toBeLessThanOrEqual(before + 2);
  await expect.poll(children).toEqual([]);
});

function killIfThere(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(pid, 'SIGKILL');
  } catch {
    // It is between two lives.
  }
}

function descriptors(): number {
  return readdirSync('/proc/self/fd').length;
}

/** Of this process: clients of adb, and zombies. */
function children(): string[] {
  const pids = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').split(' ');
  return pids.filter((pid) => /adb/.test(nameOf(pid)));
}

function nameOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return '';
  }
}
