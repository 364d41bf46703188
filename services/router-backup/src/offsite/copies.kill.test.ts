/** `kill -9` while versions are stored and uploaded: whatever the moment, what is off site is whole, and nothing is missing in the end. */

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { openSource, Repository } from '@skolo/backup';
import { countRounds, seeded } from '@skolo/base/durable/fault-injection';
import { tempDir, testSeed } from '@skolo/base/testing';
import { expect, it, onTestFinished } from 'vitest';
import { contentsIn, identity, recipient, startOffsite } from '../testing/offsite-lab.ts';
import { devices, versionText } from '../testing/offsite-writer.ts';

const kills = countRounds();
const program = join(import.meta.dirname, '../testing/offsite-writer.ts');

type Writer = ChildProcess & { stdout: Readable };

function start(dir: string, ...more: string[]): Writer {
  const child = spawn(process.execPath, [program, dir, recipient, ...more], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

it('the next process makes up for what was not even queued', async () => {
  const lab = await startOffsite();
  await lab.copied('router', 'one');
  for (const content of ['two', 'three']) await lab.storeOnly('router', content);
  for (const content of ['four', 'five']) await lab.storeOnly('switch-1', content);
  const outgoing = join(lab.stateDir, 'outgoing');
  await writeFile(join(outgoing, 'half.tmp'), 'left behind');

  await lab.kill();
  await lab.idle();

  expect(await contentsIn(lab.offsite, 'router')).toEqual(['three', 'two', 'one']);
  // Of a device that it never had, a place gets the newest.
  expect(await contentsIn(lab.offsite, 'switch-1')).toEqual(['five']);
  expect(await readdir(outgoing)).toEqual([]);
});

it(`has all of it off site, and nothing half, after ${kills} kills`, async () => {
  console.log(`copies: ${kills} kills`);
  const random = seeded(testSeed());
  const dir = await tempDir();
  const offsite = join(dir, 'offsite');

  let waiting = 0;
  for (let kill = 0; kill < kills; kill += 1) {
    const writer = start(dir);
    const ended = once(writer, 'close');
    await Promise.race([once(writer.stdout, 'data'), ended]);
    // The moment of the kill is what the test is about.
    await sleep(random() * 600);
    // Kills that left nothing to be uploaded would prove little.
    if (kill % 2 === 0) await Promise.race([stopWhere(writer, () => isWaiting(dir)), ended]);
    writer.kill('SIGKILL');
    expect(await ended).toEqual([null, 'SIGKILL']);

    if (await isWaiting(dir)) waiting += 1;
    const source = await openSource(offsite, { identities: [identity] });
    for (const device of await source.devices()) {
      for (const version of await source.versions(device, { limit: 3 })) {
        expect(await source.content(version)).toHaveLength(
          versionText(device, numberOf(version.time)).length,
        );
      }
    }
  }
  expect(waiting).toBeGreaterThanOrEqual(kills / 2);
  const last = start(dir, 'drain');
  const [code] = await once(last, 'close');
  expect(code).toBe(0);

  const repository = await Repository.open(join(dir, 'state', 'repository'), { rack: 'rack4' });
  const source = await openSource(offsite, { identities: [identity] });
  for (const device of devices) {
    const stored = (await repository.versions(device)).reverse();
    const times = stored.map(({ time }) => time);
    const found = (await source.versions(device)).map(({ time }) => time).reverse();
    // A place that is new gets the newest version, and is new until the journal knows of something there: of the first
    // ones some may be passed over by a kill, never the newest, and never their order.
    expect(times.filter((time) => found.includes(time))).toEqual(found);
    expect(found.at(-1)).toBe(times.at(-1));
    expect(stored.length - found.length).toBeLessThan(5);
    for (const { sha1, time } of stored) {
      const text = versionText(device, numberOf(time));
      expect(sha1).toBe(createHash('sha1').update(text).digest('hex'));
    }
  }
  expect(await repository.count('router')).toBeGreaterThanOrEqual(kills / 2);
  await repository.close();
  expect(await readdir(join(dir, 'state', 'outgoing'))).toEqual([]);
  expect((await readdir(offsite)).filter((name) => name.endsWith('.part'))).toEqual([]);
});

/** Whether what was stored last is not off site. */
async function isWaiting(dir: string): Promise<boolean> {
  const [device = '', time] = await newestIn(join(dir, 'state', 'repository'));
  const offsite = await openSource(join(dir, 'offsite'));
  return !(await offsite.versions(device)).some((version) => version.time === time);
}

/** Stops it after something that it stores, as soon as this is so. */
async function stopWhere(writer: Writer, isSo: () => Promise<boolean>): Promise<void> {
  for (;;) {
    await once(writer.stdout, 'data');
    writer.kill('SIGSTOP');
    if (await isSo()) return;
    writer.kill('SIGCONT');
  }
}

/** Device and time of what was stored last. */
async function newestIn(repository: string): Promise<string[]> {
  const trailer = (key: string) => `%(trailers:key=${key},valueonly)`;
  const format = `--format=${trailer('Device')}${trailer('Read-At')}`;
  const { stdout } = await promisify(execFile)('git', ['-C', repository, 'log', '-1', format]);
  return stdout.trim().split('\n');
}

function numberOf(time: string): number {
  return (Date.parse(time) - 1_700_000_000_000) / 60_000;
}
