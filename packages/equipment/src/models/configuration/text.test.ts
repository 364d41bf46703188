import { isUtf8 } from 'node:buffer';
import { runs } from '@skolo/base/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tarOf } from './archive-write.ts';
import { fingerprintOf, isSame, textOf, withoutVolatile } from './text.ts';

const volatile = [/^!Time: .*$/, /^; uptime/g];
const text = { format: 'text', volatile } as const;
const tar = { format: 'tar', volatile } as const;
const access = { mode: 0o644, uid: 0, gid: 0 };

async function archive(files: Record<string, string | Buffer>, mode = 0o644) {
  const members = Object.entries(files).map(([name, content]) => {
    const bytes = Buffer.from(content);
    return { ...access, mode, name, type: 'file' as const, size: bytes.length, content: bytes };
  });
  const link = { ...access, name: 'a link', type: 'link' as const, size: 0, target: 'etc/hosts' };
  return await tarOf([link, ...members]);
}

describe('the text of a configuration', () => {
  it.each([
    ['UTF-8', Buffer.from('größe\n'), 'größe\n'],
    ['UTF-8 with a byte order mark', Buffer.from('\ufeffx'), '\ufeffx'],
    ['Latin-1', Buffer.from('größe\n', 'latin1'), 'größe\n'],
  ])('is read as %s', (_what, content, expected) => {
    expect(textOf(content, 'text')).toBe(expected);
  });

  it('of an archive names its files, sorted, and shows what is text', async () => {
    const content = await archive({
      'etc/passwd': 'root:x',
      'etc/hosts': '127.0.0.1 localhost\n',
      'bin/x': Buffer.from([1, 0, 2]),
      'etc/empty': '',
    });

    expect(textOf(content, 'tar')).toBe(
      [
        '===== a link, link to etc/hosts 0644 0:0',
        '===== bin/x, file 0644 0:0: 3 bytes, SHA-256 16305a6b2292e931665a34089864ee3fcc24171c81551f152cf4d1db0dd6122d',
        '===== etc/empty, file 0644 0:0',
        '===== etc/hosts, file 0644 0:0',
        '127.0.0.1 localhost',
        '===== etc/passwd, file 0644 0:0',
        'root:x',
        '',
      ].join('\n'),
    );
  });

  it('of an archive that is cut says so', () => {
    expect(textOf(Buffer.from('no archive'), 'tar')).toMatch(
      /^\(the archive is not valid: .*; 10 bytes, SHA-256 [0-9a-f]{64}\)\n$/,
    );
  });

  it('without volatile lines is the rest as it was', async () => {
    expect(await withoutVolatile('a\r\n!Time: 1\r\nb\n; uptime 3\n; uptime 4\n', volatile)).toBe(
      'a\r\nb\n',
    );
    expect(await withoutVolatile('a\nb', volatile)).toBe('a\nb');
  });
});

async function hasSameFingerprint(
  a: Buffer,
  b: Buffer,
  model: Parameters<typeof fingerprintOf>[1],
) {
  return (await fingerprintOf(a, model)) === (await fingerprintOf(b, model));
}

describe('two readings', () => {
  it.each([
    ['equal', 'a\n', 'a\n', true],
    ['with another time', 'a\n!Time: 1\nb\n', 'a\n!Time: 2\nb\n', true],
    ['with another line', 'a\n!Time: 1\nb\n', 'a\n!Time: 2\nc\n', false],
    ['with a volatile line more', 'a\n', '; uptime 4\na\n', true],
    ['of another order', 'a\nb\n', 'b\na\n', false],
  ])('%s', async (_what, a, b, expected) => {
    expect(await isSame(Buffer.from(a), Buffer.from(b), text)).toBe(expected);
    expect(await hasSameFingerprint(Buffer.from(a), Buffer.from(b), text)).toBe(expected);
  });

  it('are not the same because they look the same in different encodings', async () => {
    const [utf8, latin1] = [Buffer.from('é'), Buffer.from('é', 'latin1')];

    expect(await isSame(utf8, latin1, text)).toBe(false);
    expect(await hasSameFingerprint(utf8, latin1, text)).toBe(false);
  });

  it.each([
    ['of archives with the same files', { x: 'a\n!Time: 1\n' }, { x: 'a\n!Time: 2\n' }, true],
    ['of archives with another file', { x: 'a' }, { y: 'a' }, false],
    ['of archives with a file more', { x: 'a' }, { x: 'a', y: 'b' }, false],
    ['of archives with another binary', { x: '\0!Time: 1' }, { x: '\0!Time: 2' }, false],
  ])('%s', async (_what, a, b, expected) => {
    const [left, right] = [await archive(a), await archive(b)];

    expect(await isSame(left, right, tar)).toBe(expected);
    expect(await hasSameFingerprint(left, right, tar)).toBe(expected);
  });

  it('of archives with other permissions are not the same', async () => {
    expect(await isSame(await archive({ x: 'a' }), await archive({ x: 'a' }, 0o600), tar)).toBe(
      false,
    );
  });

  it('that are no archives are the same only byte for byte', async () => {
    expect(await isSame(Buffer.from('x'), Buffer.from('y'), tar)).toBe(false);
    expect(await isSame(Buffer.from('x'), Buffer.from('x'), tar)).toBe(true);
  });

  it('are the same exactly when what remains without volatile lines is', async () => {
    const line = fc.constantFrom('a', 'b', '!Time: 1', '!Time: 2', '; uptime', 'é', '\r');
    const lines = fc.array(line, { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(lines, lines, async (a, b) => {
        const rest = (list: string[]) => list.filter((each) => !/^!Time|^; up/.test(each));
        const [left, right] = [a, b].map((list) => Buffer.from(list.map((l) => `${l}\n`).join('')));

        expect(await isSame(left ?? Buffer.alloc(0), right ?? Buffer.alloc(0), text)).toBe(
          rest(a).join('\n') === rest(b).join('\n') && rest(a).length === rest(b).length,
        );
      }),
      runs(300),
    );
  });

  it('are told apart byte by byte where nothing is volatile', async () => {
    const bytes = fc.uint8Array({ maxLength: 4 }).map((array) => Buffer.from(array));
    await fc.assert(
      fc.asyncProperty(bytes, bytes, async (a, b) => {
        expect(await isSame(a, b, text)).toBe(a.equals(b));
        expect(Buffer.from(textOf(a, 'text'), isUtf8(a) ? 'utf8' : 'latin1')).toEqual(a);
      }),
      runs(300),
    );
  });
});
