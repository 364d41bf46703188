import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { tempDir } from '@skolo/base/testing';
import { describe, expect, it } from 'vitest';
import { isOfBotsOnly, prepareFolder } from './bot-folder.ts';

describe("the bot's folder", () => {
  it.each(['/', '//', '/tmp', '/tmp/', '/root', '/home', '/home/ann', '/usr/local', '/var/lib'])(
    'is not %s, where others live',
    async (path) => {
      expect(isOfBotsOnly(path)).toBe(false);
      await expect(prepareFolder(path, '/root')).rejects.toThrow(
        /^\/.* cannot be the bot directory/,
      );
    },
  );

  it.each(['/b/s', '/b', '/home/ann/bot', '/var/lib/swarming', '/tmp/x/s'])('may be %s', (path) => {
    expect(isOfBotsOnly(path)).toBe(true);
  });

  it('is not the home of the user, nor one with letters that the bot cannot read', async () => {
    await expect(prepareFolder('/b/home', '/b/home')).rejects.toThrow('cannot be');
    await expect(prepareFolder('/b/bött', '/root')).rejects.toThrow('ASCII');
  });

  it.each(['/proc/nothing/s', '/dev/null/s', '/etc/hostname/s'])(
    'cannot be made as %s',
    async (path) => {
      await expect(prepareFolder(path, '/root')).rejects.toThrow(/bot/);
    },
  );

  it('is made with its parents', async () => {
    const folder = await tempDir();

    await prepareFolder(join(folder, 'a/b/c'), '/root');
    await prepareFolder(join(folder, 'a/b/c'), '/root');

    expect((await stat(join(folder, 'a/b/c'))).isDirectory()).toBe(true);
  });
});
