import { chmod, mkdir, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { countRounds, seeded } from '@skolo/base/durable/fault-injection';
import { testSeed } from '@skolo/base/testing';
import { BackupError } from '@skolo/equipment/models/configuration';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { change, filledBy, TestHistory } from '../testing/history.ts';
import { setAside } from './folder.ts';
import { Repository } from './repository.ts';

const kills = countRounds();

const { signal } = new AbortController();

let history: TestHistory;

beforeEach(async () => {
  history = await TestHistory.make();
});

afterEach(() => void vi.unstubAllEnvs());

const fill = filledBy(async (repository) => {
  for (let n = 0; n < 5; n += 1) {
    await repository.commit(change('switch-1', `${'a line\n'.repeat(n * 40)}${n}\n`));
    await repository.commit(change(`switch-${n}-x`, `${n}\n`));
  }
});

async function filled() {
  await fill(history.folder);
  return await history.open();
}

/** The largest first. */
async function packs(suffix = '.pack') {
  const folder = join(history.folder, 'objects/pack');
  const names = (await readdir(folder)).filter((name) => name.endsWith(suffix));
  const files = names.sort().map(async (name) => {
    const path = join(folder, name);
    return { path, content: await readFile(path) };
  });
  return (await Promise.all(files)).sort((a, b) => b.content.length - a.content.length);
}

async function first(suffix?: string) {
  const [pack] = await packs(suffix);
  if (!pack) throw new Error('there is no pack');
  return pack;
}

/** The error of `open` or, if it opens, of `check`. */
async function verdict(): Promise<string | undefined> {
  try {
    const repository = await history.open();
    const damage = await repository.check(signal);
    await repository.close();
    return damage;
  } catch (error) {
    expect(error).toMatchObject({ name: 'BackupError', code: 'damaged' });
    return error instanceof Error ? error.message : '';
  }
}

describe('a damaged history', () => {
  it.each<[string, () => Promise<void>, RegExp]>([
    [
      'HEAD is garbage',
      () => writeFile(join(history.folder, 'HEAD'), 'x\0y'),
      /HEAD does not point to/,
    ],
    ['HEAD is empty', () => writeFile(join(history.folder, 'HEAD'), ''), /HEAD does not point to/],
    [
      'HEAD is gone',
      () => rm(join(history.folder, 'HEAD')),
      /not a git repository: HEAD is missing/,
    ],
    [
      'the branch is empty after a power cut',
      () => writeFile(join(history.folder, 'refs/heads/main'), ''),
      /the history cannot be read: /,
    ],
    [
      'the branch is zeros',
      () => writeFile(join(history.folder, 'refs/heads/main'), Buffer.alloc(41)),
      /the history cannot be read: /,
    ],
    [
      'the branch is gone',
      () => rm(join(history.folder, 'refs/heads/main')),
      /the history cannot be/,
    ],
    [
      'the branch is at a commit that is not there',
      () => writeFile(join(history.folder, 'refs/heads/main'), `${'1'.repeat(40)}\n`),
      /the history cannot be read: /,
    ],
    [
      'all packs are gone',
      () => rm(join(history.folder, 'objects/pack'), { recursive: true }),
      /./,
    ],
    ['a pack is gone', async () => rm((await first()).path), /./],
    ['an index is gone', async () => rm((await first('.idx')).path), /./],
    ['a pack is cut', async () => truncate((await first()).path, 200), /./],
    ['a pack is empty', async () => truncate((await first()).path, 0), /./],
    ['the configuration is garbage', () => writeFile(join(history.folder, 'config'), '[[['), /./],
  ])('is found where %s', async (_what, damage, message) => {
    await fill(history.folder);

    await damage();

    expect(await verdict()).toMatch(message);
    const newName = await setAside(history.folder);
    expect(newName).toMatch(/history\.broken-\d{8}T\d{6}Z$/);
    expect(await readdir(newName)).not.toEqual([]);
    const repository = await history.open();
    await repository.commit(change('switch-1', 'new\n'));
    expect(await repository.check(signal)).toBeUndefined();
    expect((await readdir(history.parent)).sort()).toHaveLength(2);
  });

  it('is none where only what is not needed is gone', async () => {
    await fill(history.folder);
    await rm(join(history.folder, 'refs/tags'), { recursive: true });
    await rm(join(history.folder, 'objects/info'), { recursive: true });

    expect(await verdict()).toBeUndefined();
  });

  it('that is found at work is told, and nothing is stored over it', async () => {
    const repository = await filled();
    await rm(join(history.folder, 'objects'), { recursive: true });

    await expect(repository.commit(change('switch-1', 'new'))).rejects.toBeInstanceOf(BackupError);
    expect(await repository.check(signal)).toMatch(/./);
    const newest = await repository.newest('switch-1');
    await expect(newest && repository.content(newest)).rejects.toMatchObject({ code: 'damaged' });
  });

  it.each([
    ['was killed, as where memory runs out', 'kill -9 $$', 'ended by SIGKILL'],
    [
      'had not enough memory',
      'echo "fatal: Out of memory, malloc failed (tried to allocate 1048576 bytes)" >&2; exit 128',
      'not enough memory',
    ],
    [
      'could not read the disk',
      'echo "error: packfile x cannot be mapped: Input/output error" >&2; exit 1',
      'the disk reports an error',
    ],
  ])('is none where git %s', async (_what, script, message) => {
    const repository = await filled();
    const programs = join(history.parent, 'programs');
    await mkdir(programs);
    await writeFile(join(programs, 'git'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    vi.stubEnv('PATH', `${programs}:${process.env.PATH}`);

    const failure = { code: 'storage', message: expect.stringContaining(message) };
    await expect(repository.check(signal)).rejects.toMatchObject(failure);
    await expect(repository.commit(change('switch-1', 'x'))).rejects.toMatchObject(failure);
    await expect(repository.versions('switch-1')).rejects.toMatchObject(failure);
    vi.unstubAllEnvs();
    expect(await repository.check(signal)).toBeUndefined();
    expect((await repository.commit(change('switch-1', 'x'))).device).toBe('switch-1');
  });

  it('is none where this user may not read it', async ({ skip }) => {
    const { seteuid } = process;
    if (process.getuid?.() !== 0 || !seteuid) return skip('needs root to be another user');
    await fill(history.folder);
    for (const folder of [history.parent, history.folder]) await chmod(folder, 0o755);
    await chmod(join(history.folder, 'objects'), 0o700);
    const nobody = 65_534;

    seteuid(nobody);
    const opening = await history.open().catch((error: unknown) => error);
    seteuid(0);

    expect(opening).toMatchObject({
      code: 'storage',
      message: expect.stringMatching(
        /objects: the user that runs this process does not have read and write permission$/,
      ),
    });
  });

  it('that cannot be set aside says why', async () => {
    await expect(setAside(join(history.parent, 'nothing'))).rejects.toMatchObject({
      code: 'storage',
      message: expect.stringContaining('cannot be set aside'),
    });
  });

  it('is told by a person who changed a version by hand', async () => {
    const repository = await filled();
    const stream = [
      'commit refs/heads/main',
      'committer a <a@example.com> 1700000000 +0000',
      'data <<END\nby hand\n\nDevice: switch-1\nSHA1: 0000000000000000000000000000000000000000\nEND',
      'from refs/heads/main^0',
      'M 100644 inline devices/switch-1\ndata 2\nx\n',
      'done\n',
    ];
    await repository.close();
    await history.feed(['fast-import', '--quiet', '--done'], stream.join('\n'));

    expect(await verdict()).toMatch(
      /^the newest version of switch-1 \([\dT:.-]+Z\) has the wrong SHA-1$/,
    );
  });
});

it(`never gives back a wrong version, and says so, in ${kills} damaged copies`, async () => {
  console.log(`a history with damaged files: ${kills} times`);
  const repository = await filled();
  await repository.maintain(signal);
  const versions = await repository.versions('switch-1');
  const contents = await Promise.all(versions.map((version) => repository.content(version)));
  await repository.close();
  const random = seeded(testSeed());

  for (let round = 0; round < kills; round += 1) {
    const { path, content } = await first(random() < 0.7 ? '.pack' : '.idx');
    const at = Math.floor(random() * content.length);
    const damaged = Buffer.from(content);
    const kind = random();
    if (kind < 0.4) damaged.writeUInt8(damaged.readUInt8(at) ^ (1 << Math.floor(random() * 8)), at);
    else if (kind < 0.7) damaged.fill(0, at, Math.min(at + 512, damaged.length));
    await rm(path);
    await writeFile(path, kind < 0.7 ? damaged : damaged.subarray(0, at));
    const isWhole = (await readFile(path)).equals(content);

    const found = await verdict();

    if (!isWhole) expect(found, `${path} at ${at}`).toBeDefined();
    const opened = await Repository.open(history.folder).catch(() => undefined);
    for (const [index, version] of versions.entries()) {
      const given = await opened?.content(version).catch((error) => {
        expect(error).toBeInstanceOf(BackupError);
      });
      if (given) expect(given.equals(contents[index] ?? Buffer.alloc(0))).toBe(true);
    }
    await opened?.close();
    await rm(path, { force: true });
    await writeFile(path, content);
  }
  expect(await verdict()).toBeUndefined();
});
