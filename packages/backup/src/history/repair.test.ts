import { readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Version } from '../source.ts';
import { change, filledBy, TestHistory } from '../testing/history.ts';
import { repairHistory } from './repair.ts';

const { signal } = new AbortController();

let history: TestHistory;

beforeEach(async () => {
  history = await TestHistory.make();
});

let before: Version[];
const filled = filledBy(async (repository) => {
  for (let n = 0; n < 5; n += 1) await repository.commit(change('switch-1', `${n}\n`));
  await repository.commit(change('switch-2', 'x\n'));
  before = await repository.versions('switch-1');
});

async function largest(suffix: string): Promise<string> {
  const folder = join(history.folder, 'objects/pack');
  const names = (await readdir(folder)).filter((name) => name.endsWith(suffix)).sort();
  const sized = names.map(async (name) => {
    const path = join(folder, name);
    return { path, size: (await readFile(path)).length };
  });
  const [first] = (await Promise.all(sized)).sort((a, b) => b.size - a.size);
  if (!first) throw new Error('there is no pack');
  return first.path;
}

const file = (name: string) => join(history.folder, name);

describe('a history', () => {
  type Damage = [string, () => Promise<void>, RegExp];
  const heads: Damage[] = [
    ['HEAD is empty', () => writeFile(file('HEAD'), ''), /^HEAD was rewritten$/],
    ['HEAD is zeros', () => writeFile(file('HEAD'), Buffer.alloc(22)), /^HEAD/],
    ['HEAD is gone', () => rm(file('HEAD')), /^HEAD/],
  ];
  const indexes: Damage[] = [
    ['an index is gone', async () => rm(await largest('.idx')), /^the index of pack-/],
    ['an index is cut', async () => truncate(await largest('.idx'), 100), /^the index of pack-/],
  ];
  const branches: Damage[] = [
    ['the branch is empty', () => writeFile(file('refs/heads/main'), ''), /^the branch was set/],
    ['the branch is gone', () => rm(file('refs/heads/main')), /^the branch was set to/],
    [
      'the branch is zeros',
      () => writeFile(file('refs/heads/main'), Buffer.alloc(41)),
      /^the branch was set to/,
    ],
  ];
  it.each<Damage>([
    ...heads,
    ...indexes,
    ...branches,
    ['the settings are garbage', () => writeFile(file('config'), '[[['), /^the git configuration/],
  ])('is repaired, with every version, where %s', async (_what, damage, said) => {
    await filled(history.folder);
    await damage();

    const repaired = await repairHistory(history.folder);

    expect(repaired).toEqual([expect.stringMatching(said)]);
    const repository = await history.open();
    expect(await repository.check(signal)).toBeUndefined();
    expect(await repository.versions('switch-1')).toEqual(before);
    expect(await repository.devices()).toEqual(['switch-1', 'switch-2']);
    await repository.commit(change('switch-1', 'after\n'));
    await history.git('fsck', '--strict', '--full');
  });

  it('is left alone where nothing is wrong with it', async () => {
    await filled(history.folder);
    const [head, tip] = [await readFile(file('HEAD')), await readFile(file('refs/heads/main'))];

    expect(await repairHistory(history.folder)).toEqual([]);

    expect(await readFile(file('HEAD'))).toEqual(head);
    expect(await readFile(file('refs/heads/main'))).toEqual(tip);
  });

  it('stays damaged where content is lost', async () => {
    await filled(history.folder);
    const pack = await largest('.pack');
    await truncate(pack, 50);

    await repairHistory(history.folder);

    const damage = await history.open().then(
      (repository) => repository.check(signal),
      (error: unknown) => String(error),
    );
    expect(damage).toMatch(/./);
  });

  it.each<[string, () => Promise<void>]>([
    ['the settings are garbage', () => writeFile(file('config'), '[[[')],
    ['an index is gone', async () => rm(await largest('.idx'))],
  ])('is not judged while git cannot run, where %s', async (_what, damage) => {
    await filled(history.folder);
    await damage();
    const config = await readFile(file('config'));
    vi.stubEnv('PATH', '/nonexistent');
    onTestFinished(() => void vi.unstubAllEnvs());

    await expect(repairHistory(history.folder)).rejects.toMatchObject({ code: 'storage' });

    expect(await readFile(file('config'))).toEqual(config);
    vi.unstubAllEnvs();
    expect(await repairHistory(history.folder)).toHaveLength(1);
  });

  it('is none where only the settings are left', async () => {
    await filled(history.folder);
    await rm(file('objects'), { recursive: true });

    expect(await repairHistory(history.folder)).toEqual([]);
  });
});
