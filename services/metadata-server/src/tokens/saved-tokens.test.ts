import { chmod, mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runs } from '@skolo/base/testing';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { SavedTokens } from './saved-tokens.ts';

const token = { account: 'a', scopes: ['s'], value: 'secret', life: 3600, expiresAt: 5000 };

async function folder(parent = '/dev/shm'): Promise<string> {
  const dir = await mkdtemp(join(parent, 'skolo-test-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  return dir;
}

describe('saved tokens', () => {
  const text = fc.string({ unit: 'grapheme' });
  const positive = fc.integer({ min: 1 });
  const anyToken = fc.record(
    {
      account: text,
      owner: text,
      scopes: fc.array(text),
      value: fc.string({ minLength: 1 }),
      life: positive,
      expiresAt: positive,
    },
    { requiredKeys: ['account', 'scopes', 'value', 'life', 'expiresAt'] },
  );

  it('are the same for the next process, and readable by no other user', async () => {
    const dir = join(await folder(), 'new');
    await fc.assert(
      fc.asyncProperty(fc.array(anyToken), async (tokens) => {
        await new SavedTokens(() => dir).save(tokens);

        expect(await new SavedTokens(() => dir).load()).toEqual(tokens);
      }),
      runs(50),
    );
    expect((await stat(join(dir, 'tokens.json'))).mode & 0o777).toBe(0o600);
    expect((await stat(dir)).mode & 0o777).toBe(0o700);
  });

  it('are gone after another boot', async () => {
    const dir = await folder();
    await new SavedTokens(
      () => dir,
      () => 'boot-1',
    ).save([token]);
    expect(
      await new SavedTokens(
        () => dir,
        () => 'boot-2',
      ).load(),
    ).toEqual([]);
  });

  it('are those of the last of many writes at once', async () => {
    const dir = await folder();
    const savedTokens = new SavedTokens(() => dir);
    const saved = Array.from({ length: 20 }, (_, i) =>
      savedTokens.save([{ ...token, value: `v${i}` }]),
    );
    await Promise.all(saved);
    expect(await savedTokens.load()).toEqual([{ ...token, value: 'v19' }]);
    expect(await readdir(dir)).toEqual(['tokens.json']);
  });

  it('are none where there is no file yet', async () => {
    const dir = await folder();
    expect(await new SavedTokens(() => dir).load()).toEqual([]);
  });
});

describe('a place that will not do', () => {
  it('is a disk', async (context) => {
    const dir = await folder(tmpdir());
    const savedTokens = new SavedTokens(() => dir);
    const failure = await savedTokens.save([token]).catch((error: Error) => error.message);
    if (failure === undefined) context.skip('the temporary folder is in memory here');
    expect(failure).toBe(`${dir}: not on an in-memory file system; tokens are not written to disk`);
    expect(await readdir(dir)).toEqual([]);
  });

  it('is a folder that others may read, or a link', async () => {
    const dir = await folder();
    const open = join(dir, 'open');
    await mkdir(open);
    await chmod(open, 0o755);
    await symlink(open, join(dir, 'link'));
    const expected = 'must be a directory that only this user can access (mode 0700)';
    await expect(new SavedTokens(() => open).save([token])).rejects.toThrow(expected);
    await expect(new SavedTokens(() => join(dir, 'link')).load()).rejects.toThrow(expected);
  });

  it('is a file of somebody else’s making', async () => {
    const dir = await folder();
    await writeFile(join(dir, 'tokens.json'), '{"bootId": 5}');
    await expect(new SavedTokens(() => dir).load()).rejects.toThrow(
      'does not contain saved tokens',
    );
    await new SavedTokens(() => dir).save([token]);
    expect(await new SavedTokens(() => dir).load()).toEqual([token]);
  });
});
