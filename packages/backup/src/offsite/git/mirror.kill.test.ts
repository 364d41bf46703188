import { readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  countRounds,
  killAfter,
  onlyLong,
  seeded,
  startWriter,
  timeUntil,
} from '@skolo/base/durable/fault-injection';
import { tempDir, testSeed } from '@skolo/base/testing';
import { expect, it } from 'vitest';
import { Repository } from '../../history/repository.ts';
import { openGitSource } from '../../restore/git-source.ts';
import { bareRemote, plainGit, readBack, startHistory } from '../../testing/git-remote.ts';
import { newKeyPair, soon } from '../../testing/offsite.ts';
import { decrypt } from '../age.ts';
import { GitMirror } from './mirror.ts';

const kills = countRounds();
const program = join(import.meta.dirname, '../../testing/git-mirror-writer.ts');

it('pushes what was made before it was killed, once', async () => {
  const { commit, history, folder } = await startHistory();
  const remote = await bareRemote();
  const keys = await newKeyPair();
  const push = () =>
    new GitMirror({ history, folder, remote, recipients: [keys.recipient] }).push(soon());
  await commit('router', 'one');
  // Like a kill -9 between commit and push: the remote is unreachable, but the copy is made.
  await rename(remote, `${remote}.away`);
  await expect(push()).rejects.toThrow();
  await writeFile(join(folder, 'content-0.tmp'), 'left by one that was killed');
  await writeFile(join(folder, 'encrypted.git', 'refs', 'heads', 'main.lock'), '');
  await rename(`${remote}.away`, remote);

  await push();

  expect((await readBack(remote, 'router', keys)).contents).toEqual(['one']);
  expect(await plainGit(remote, 'rev-list', '--count', 'main')).toBe('3');
  expect(await readdir(folder)).toEqual(['encrypted.git']);
});

it.skipIf(onlyLong)(
  `has each version once, and all that were pushed, after ${kills} kill -9`,
  async () => {
    console.log(`a mirror of a history: ${kills} kills`);
    const random = seeded(testSeed());
    const dir = await tempDir();
    const [history, folder] = [join(dir, 'history'), join(dir, 'mirror')];
    const remote = await bareRemote();
    const { identity, recipient } = await newKeyPair();
    const start = () => startWriter(program, history, folder, remote, recipient);
    let pushed = 0;
    const usualMs = await timeUntil(start(), 'pushed 1');

    for (let kill = 0; kill < kills; kill += 1) {
      const lines = await killAfter(start(), random() * usualMs, {
        all: kill % 2 === 0,
        // Some live until they have pushed something, so that there is more each time.
        report: kill % 4 < 2 ? 'pushed' : '',
      });
      for (const line of lines) {
        const number = /^pushed (?<number>\d+)$/.exec(line)?.groups?.number;
        if (number !== undefined) pushed = Math.max(pushed, Number(number) + 1);
      }

      // The git processes of a killed writer may still be moving received objects.
      await expect.poll(fsck).toBe('sound');
      // The remote's owner runs the clean-up that git suggests, because no running process will.
      if (kill % 2 === 0) await removeLocks();
      const versions = await versionsThere();
      expect(versions.length).toBeGreaterThanOrEqual(pushed);
      expect(versions.map(({ run }) => run)).toEqual(versions.map((_, number) => `run-${number}`));
    }

    const repository = await Repository.open(history, { rack: 'rack4' });
    const count = await repository.count('router');
    await repository.close();
    const mirror = new GitMirror({ history, folder, remote, recipients: [recipient] });
    await expect.poll(() => mirror.push(soon()).then(() => 'pushed', String)).toBe('pushed');
    expect(count).toBeGreaterThanOrEqual(kills / 2);
    const source = await there();
    for (const [number, version] of (await versionsThere()).entries()) {
      expect(String(await source.content(version))).toBe(`version ${number}\n`);
    }
    expect(await versionsThere()).toHaveLength(count);

    async function fsck() {
      return await plainGit(remote, 'fsck', '--full', '--strict', '--no-dangling').then(
        () => 'sound',
        String,
      );
    }

    async function removeLocks() {
      const files = await readdir(remote, { recursive: true });
      for (const file of files.filter((name) => name.endsWith('.lock')))
        await rm(join(remote, file));
    }

    async function there() {
      return await openGitSource(remote, {
        decrypt: (content) => decrypt(content, [identity], 'router'),
      });
    }

    /** The oldest first. */
    async function versionsThere() {
      if ((await plainGit(remote, 'for-each-ref')) === '') return [];
      return (await (await there()).versions('router')).reverse();
    }
  },
);
