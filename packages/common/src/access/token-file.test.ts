import {
  chmod,
  chown,
  mkdir,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { runs, tempDir } from '@skolo/base/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { listTokens, newToken, revokeToken, TokenFile, TokenFileError } from './token-file.ts';

const now = Date.parse('2026-11-20T07:30:00Z');
const ann = { name: 'ann', role: 'operate', expiresInDays: 90, now } as const;

async function newFile(text?: string): Promise<string> {
  const file = join(await tempDir(), 'tokens.yaml');
  if (text !== undefined) await writeFile(file, text);
  return file;
}

describe('newToken', () => {
  it('gives 256 random bits and keeps only their hash', async () => {
    const file = await newFile();

    const token = await newToken(file, ann);

    expect(token).toMatch(/^skolo_[\w-]{43}$/);
    const text = await readFile(file, 'utf8');
    expect(text).not.toContain(token.slice(6));
    expect(text).toMatch(
      /^# .*\n\ntokens:\n {2}- name: ann\n {4}role: operate\n {4}sha256: [0-9a-f]{64}\n {4}created: 2026-11-20T07:30:00Z\n {4}expires: 2027-02-18T07:30:00Z\n$/,
    );
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readdir(join(file, '..'))).toEqual(['tokens.yaml']);
  });

  it('leaves what people wrote into the file', async () => {
    const file = await newFile('# ours\ntokens: [] # none yet\n');

    await newToken(file, ann);
    await newToken(file, { ...ann, name: 'bob' });

    expect(await readFile(file, 'utf8')).toContain('# ours');
    expect((await listTokens(file)).map(({ name }) => name)).toEqual(['ann', 'bob']);
  });

  it('writes through a link', async () => {
    const file = await newFile();
    await writeFile(file, 'tokens: []\n');
    const link = join(await tempDir(), 'link');
    await symlink(file, link);

    await newToken(link, ann);

    expect(await listTokens(file)).toHaveLength(1);
  });

  it.each([
    [{ ...ann, name: 'no spaces' }, 'invalid token name'],
    [{ ...ann, name: '' }, 'invalid token name'],
    [{ ...ann, expiresInDays: 0 }, 'invalid lifetime: 0 days'],
    [{ ...ann, expiresInDays: Number.NaN }, 'invalid lifetime: NaN days'],
    [{ ...ann, expiresInDays: 4000 }, 'invalid lifetime: 4000 days'],
  ])('rejects %o', async (options, why) => {
    const file = await newFile();

    await expect(newToken(file, options)).rejects.toThrow(why);
    await expect(listTokens(file)).resolves.toEqual([]);
  });

  it('rejects a name that is taken', async () => {
    const file = await newFile();
    await newToken(file, ann);

    await expect(newToken(file, ann)).rejects.toThrow(
      `${file}: token ann already exists; revoke it first, or choose another name`,
    );
  });

  it.each([
    ['tokens: [', 'not YAML: line 1, column 9: `[` is not closed; write `]` after its last entry'],
    [
      'tokens: *hunter2',
      'not YAML: line 1, column 9: unknown alias: no anchor (`&`) with this name precedes',
    ],
    ['tokens: { a: b }', 'tokens: must be a list'],
    [
      'tokens: [{ name: ann }]',
      'tokens.0.role: must be view, operate or admin; tokens.0.sha256: must be 64',
    ],
    [
      'tokens: [ann]',
      'tokens.0: must be a map that contains only name, role, sha256, created, expires, busy and endsOnIt',
    ],
    ['tokens: [{ name: ann, role: boss }]', 'tokens.0.role: must be view, operate or admin'],
    [
      'tokens: [{ name: 7 }]',
      'tokens.0.name: must begin with a letter or digit, and contain at most 64 letters',
    ],
    ['tokens: []\nhunter2: 1', 'file: must contain only `tokens:` with a list'],
    [
      'tokens: [{ id: 1 }]',
      'tokens.0: must be a map that contains only name, role, sha256, created, expires, busy and endsOnIt',
    ],
    ['other: 1', 'tokens: must be a list'],
    ['no tokens here', 'file: must contain only `tokens:` with a list'],
  ])('does not touch a file that is broken: %j', async (text, why) => {
    const file = await newFile(text);

    const rejected = newToken(file, ann);

    await expect(rejected).rejects.toThrow(TokenFileError);
    await expect(rejected).rejects.toThrow(`${file}: `);
    await expect(rejected).rejects.toThrow(why);
    await expect(rejected).rejects.not.toThrow(/hunter2|Invalid|:$/);
    expect(await readFile(file, 'utf8')).toBe(text);
    await expect(listTokens(file)).rejects.toThrow(TokenFileError);
  });

  it('does not mix with another change under way', async () => {
    const file = await newFile();
    await writeFile(`${file}.lock`, '');

    await expect(newToken(file, ann)).rejects.toThrow(
      `another process is editing this file; try again, or delete ${file}.lock if no such process is running`,
    );
    await rm(`${file}.lock`);
    await newToken(file, ann);
  });

  it('says what is in the way', async () => {
    const folder = await tempDir();
    const missing = join(folder, 'nowhere');
    const text = await newFile('');

    await expect(newToken(join(missing, 'tokens.yaml'), ann)).rejects.toThrow(
      `${join(missing, 'tokens.yaml')}: cannot be changed: directory ${missing} does not exist; create it, or fix the path`,
    );
    await expect(newToken(join(text, 'tokens.yaml'), ann)).rejects.toThrow(
      `cannot be changed: ${text} is not a directory; fix the path`,
    );
    await expect(newToken(folder, ann)).rejects.toThrow(
      `${folder} cannot be read: this is a directory; specify the path of a file`,
    );
    await expect(listTokens(folder)).rejects.toThrow('this is a directory');
    expect(await readdir(folder)).toEqual([]);
  });

  it.each(['', '\n', '# ours\n', '---\n'])(
    'takes a file without anything in it: %j',
    async (text) => {
      const file = await newFile(text);

      expect(await listTokens(file)).toEqual([]);
      await expect(revokeToken(file, 'bob')).rejects.toThrow('known tokens: none');
      await newToken(file, ann);

      expect(await listTokens(file)).toHaveLength(1);
      expect((await readFile(file, 'utf8')).includes('# ours')).toBe(text.includes('# ours'));
    },
  );

  it('leaves those who may read the file as they are', async () => {
    const file = await newFile('tokens: []\n');
    const isRoot = process.getuid?.() === 0;
    if (isRoot) await chown(file, 4711, 4712);
    await chmod(file, 0o640);
    const before = await stat(file);

    await newToken(file, ann);
    await revokeToken(file, 'ann');

    const { uid, gid, mode } = await stat(file);
    expect({ uid, gid, mode }).toEqual({ uid: before.uid, gid: before.gid, mode: before.mode });
    if (isRoot) expect([uid, gid]).toEqual([4711, 4712]);
  });
});

describe('revokeToken', () => {
  /** Among them words and numbers of YAML. */
  const name = fc.oneof(
    fc.stringMatching(/^[A-Za-z0-9][\w.@+-]{0,63}$/),
    fc.constantFrom('null', 'true', 'no', '1e3', '012', '0x1F', '1_000', '2026-11-20', '1.50'),
  );

  it('takes out that token and no other, whatever their names', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(name, { minLength: 1, maxLength: 4 }), async (names) => {
        const file = await newFile();
        for (const each of names) await newToken(file, { ...ann, name: each });
        const [last = '', ...others] = names.toReversed();

        await revokeToken(file, last);

        expect((await listTokens(file)).map(({ name }) => name)).toEqual(others.reverse());
      }),
      runs(50),
    );
  });

  it('names the tokens that there are', async () => {
    const file = await newFile();
    await newToken(file, ann);

    await expect(revokeToken(file, 'bob')).rejects.toThrow('no token bob; known tokens: ann');
  });
});

describe('TokenFile', () => {
  it('finds what a token may do beyond its role, which is for names and ranges', async () => {
    const file = await newFile();
    const ci = { ...ann, name: 'ci', role: 'view' as const, busy: ['rpi-[001-010]', 'host-1'] };
    const token = await newToken(file, ci);

    expect(await new TokenFile(file).find(token)).toMatchObject({
      role: 'view',
      rights: { busy: ['rpi-[001-010]', 'host-1'] },
    });
    for (const busy of ['rpi-[', '', 'rpi-[003-001]']) {
      const wrong = newToken(file, { ...ci, name: 'other', busy: [busy] });
      await expect(wrong).rejects.toThrow('not a name or a range of names');
    }
  });

  it('finds whose token it is, from the moment that it is made until it is revoked', async () => {
    const file = await newFile();
    const tokens = new TokenFile(file);
    const first = await newToken(file, ann);
    expect(await tokens.find(first)).toEqual({
      name: 'ann',
      role: 'operate',
      created: new Date('2026-11-20T07:30:00Z'),
      expires: new Date('2027-02-18T07:30:00Z'),
      rights: {},
    });

    const second = await newToken(file, { ...ann, name: 'bob', role: 'view' });
    expect(await tokens.find(second)).toMatchObject({ name: 'bob', role: 'view' });
    await revokeToken(file, 'ann');

    expect(await tokens.find(first)).toBeUndefined();
    expect(await tokens.find('')).toBeUndefined();
  });

  it('lets nobody in while the file is broken or gone', async () => {
    const file = await newFile();
    const tokens = new TokenFile(file);
    const token = await newToken(file, ann);
    await tokens.find(token);

    await writeFile(file, 'tokens: [{ name: "ann", sha256: "hunter2" }]');
    const broken = tokens.find(token);
    await expect(broken).rejects.toThrow(/tokens\.0\.role/);
    await expect(broken).rejects.not.toThrow(/hunter2/);
    await rm(file);
    await expect(tokens.find(token)).rejects.toThrow('no such file');
    await mkdir(file);
    await expect(tokens.find(token)).rejects.toThrow('a directory');
  });
});
