import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { openGitSource } from '../git-source.ts';
import { Repository } from '../repository.ts';
import { buildWriter, killAfter, kills, seed, seeded, startWriter } from '../testing/kills.ts';
import { decrypt } from './age.ts';
import { GitMirror } from './git-mirror.ts';
import { bareRemote, plainGit } from './git-testing.ts';
import { newKeyPair, soon, tempDir } from './testing.ts';

beforeAll(buildWriter, 300_000);

it(`has each version once, and all that were pushed, after ${kills} kill -9 (seed ${seed})`, {
  timeout: kills * 30_000,
}, async () => {
  console.log(`a mirror of a history: ${kills} kills, SKOLO_SEED=${seed}`);
  const random = seeded(seed);
  const dir = await tempDir();
  const [history, folder] = [join(dir, 'history'), join(dir, 'mirror')];
  const remote = await bareRemote();
  const { identity, recipient } = await newKeyPair();
  let pushed = 0;

  for (let kill = 0; kill < kills; kill += 1) {
    const writer = startWriter(
      'offsite/git-mirror.test-writer.js',
      ...[history, folder, remote, recipient],
    );
    const lines = await killAfter(writer, random() * 1500, { all: kill % 2 === 0 });
    for (const line of lines) {
      const number = /^pushed (?<number>\d+)$/.exec(line)?.groups?.number;
      if (number !== undefined) pushed = Math.max(pushed, Number(number) + 1);
    }

    // What the killed one had started may still be moving what it received.
    await expect.poll(fsck).toBe('sound');
    const versions = await versionsThere();
    expect(versions.length).toBeGreaterThanOrEqual(pushed);
    expect(versions.map(({ run }) => run)).toEqual(versions.map((_, number) => `run-${number}`));
  }

  const repository = await Repository.open(history, { rack: 'rack4' });
  const count = await repository.count('router');
  await repository.close();
  await new GitMirror({ history, folder, remote, recipients: [recipient] }).push(soon());
  expect(count).toBeGreaterThan(kills / 2);
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
});
