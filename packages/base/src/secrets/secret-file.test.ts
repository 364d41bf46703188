import { mkdir, mkdtemp, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SecretError } from './secret.ts';
import { SecretFile, SecretFormatError } from './secret-file.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'skolo-secret-file-'));
});
afterEach(async () => {
  await rm(dir, { recursive: true });
});

describe('SecretFile', () => {
  let path: string;
  let parsed: string[];
  let secret: SecretFile<{ text: string }>;
  beforeEach(async () => {
    path = join(dir, 'key.json');
    parsed = [];
    secret = new SecretFile(path, (text) => {
      parsed.push(text);
      return { text };
    });
    await writeFile(path, 'first\n');
  });

  it('parses once as long as the file stays the same', async () => {
    const [one, two] = await Promise.all([secret.read(), secret.read()]);
    const three = await secret.read();

    expect(one).toEqual({ text: 'first' });
    expect(two).toBe(one);
    expect(three).toBe(one);
    expect(parsed).toEqual(['first']);
  });

  it('does not parse again when only the times of the file change', async () => {
    await secret.read();

    await utimes(path, 1, 1);
    await secret.read();

    expect(parsed).toEqual(['first']);
  });

  it('sees a rotation by rename', async () => {
    await secret.read();

    await writeFile(`${path}.new`, 'other\n');
    await rename(`${path}.new`, path);

    expect(await secret.read()).toEqual({ text: 'other' });
  });

  it('sees each of many rewrites in place, of the same size and within one tick of the clock', async () => {
    for (let round = 0; round < 100; round += 1) {
      const text = `v${String(round).padStart(4, '0')}`;
      await writeFile(path, text);

      expect(await secret.read()).toEqual({ text });
    }
  });

  it('sees the symlink swap of a ConfigMap', async () => {
    const mount = join(dir, 'mount');
    await mkdir(join(mount, '..v1'), { recursive: true });
    await mkdir(join(mount, '..v2'));
    await writeFile(join(mount, '..v1/key'), 'one');
    await writeFile(join(mount, '..v2/key'), 'two');
    await symlink('..v1', join(mount, '..data'));
    await symlink('..data/key', join(mount, 'key'));
    const mounted = new SecretFile(join(mount, 'key'), (text) => text);
    expect(await mounted.read()).toBe('one');

    await symlink('..v2', join(mount, '..data_tmp'));
    await rename(join(mount, '..data_tmp'), join(mount, '..data'));

    expect(await mounted.read()).toBe('two');
  });

  it('fails while the file is away, and recovers', async () => {
    await secret.read();

    await rm(path);
    await expect(secret.read()).rejects.toMatchObject({ code: 'SECRET_MISSING', what: path });

    await writeFile(path, 'second');
    expect(await secret.read()).toEqual({ text: 'second' });
  });

  it('names the file when it cannot be parsed, and shows nothing of its content', async () => {
    await writeFile(path, '{"private_key": "hunter2", }');
    const key = new SecretFile<unknown>(path, (text) => JSON.parse(text));

    const error = await key.read().catch((thrown: unknown) => thrown);

    expect(error).toBeInstanceOf(SecretError);
    expect(error).toMatchObject({
      code: 'SECRET_INVALID',
      message: `${path}: the file has the wrong content; replace it with the correct file`,
    });
    expect(inspect(error, { depth: null, showHidden: true })).not.toContain('hunter2');
  });

  it('parses a bad file once, too, and says what its parser says in so many words', async () => {
    let times = 0;
    const key = new SecretFile<string>(path, (text) => {
      times += 1;
      if (text !== 'good') throw new SecretFormatError('it has no private_key');
      return text;
    });
    const bad = `${path}: it has no private_key; replace it with the correct file`;

    await expect(key.read()).rejects.toThrow(bad);
    await expect(key.read()).rejects.toThrow(bad);
    expect(times).toBe(1);

    await writeFile(path, 'good');
    expect(await key.read()).toBe('good');
  });
});
