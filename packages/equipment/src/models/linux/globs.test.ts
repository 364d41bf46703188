import { execFileSync } from 'node:child_process';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { tempDir } from '@skolo/base/testing';
import { describe, expect, it } from 'vitest';
import { findArguments, glob, skip } from './globs.ts';

describe('a glob', () => {
  it.each([
    ['/etc/hosts', ['/etc/hosts'], ['/etc/hosts2', '/etc', '/x/etc/hosts']],
    [
      '/etc/network',
      ['/etc/network', '/etc/network/interfaces', '/etc/network/a/b'],
      ['/etc/networks'],
    ],
    ['/etc/network/**', ['/etc/network/interfaces', '/etc/network/a/b'], ['/etc/network']],
    ['/etc/*.conf', ['/etc/a.conf', '/etc/.conf'], ['/etc/a/b.conf', '/etc/aconf', '/etc/a.conf2']],
    ['/etc/**/*.conf', ['/etc/a.conf', '/etc/a/b/c.conf'], ['/etc.conf', '/etc/a.config']],
    ['/etc/*/?', ['/etc/a/b'], ['/etc/a/bc', '/etc/b', '/etc/a/b/c']],
    ['/etc/[a-c]x', ['/etc/bx'], ['/etc/dx', '/etc/-x']],
    ['/etc/[!a-c]x', ['/etc/dx', '/etc/.x'], ['/etc/bx', '/etc//x']],
    ['/etc/[].]x', ['/etc/]x', '/etc/.x'], ['/etc/ax']],
    [String.raw`/etc/\*`, ['/etc/*'], ['/etc/a']],
    ['/etc/a.b', ['/etc/a.b'], ['/etc/axb']],
    ['/**', ['/a', '/a/b'], ['/']],
    ['*.key', ['/etc/a.key', '/a.key'], ['/etc/a.keys', '/etc/x.key/y']],
    ['//etc/./hosts/', ['/etc/hosts'], []],
  ])('%s', (text, means, doesNot) => {
    const { matches } = glob(text);

    expect(means.filter((path) => !matches(path))).toEqual([]);
    expect(doesNot.filter((path) => matches(path))).toEqual([]);
  });

  it.each([
    ['/etc/hosts', ['', '/etc'], ['/etc/x', '/usr']],
    ['/etc/network', ['/etc', '/etc/network/x'], ['/etc/x']],
    ['/etc/*/a', ['/etc', '/etc/x'], ['/etc/x/y', '/usr']],
    ['/etc/*/**', ['/etc', '/etc/x', '/etc/x/y/z'], ['/usr']],
    ['*.key', ['/etc', '/a/b'], []],
  ])('%s is looked for in these folders only', (text, folders, others) => {
    const { reaches } = glob(text);

    expect(folders.filter((path) => !reaches(path))).toEqual([]);
    expect(others.filter((path) => reaches(path))).toEqual([]);
  });
});

describe('find', () => {
  const files = [
    'a.conf',
    '.b.conf',
    'd/c.conf',
    'd/e/f.conf',
    "it's [x]/g *.conf",
    'linked/h.conf',
    'd/private/i',
  ];

  async function tree(): Promise<string> {
    const root = await tempDir();
    for (const file of files) {
      await mkdir(dirname(join(root, file)), { recursive: true });
      await writeFile(join(root, file), '');
    }
    await symlink('linked', join(root, 'link'));
    return root;
  }

  it.each([
    ['/*.conf', ['.b.conf', 'a.conf']],
    ['/a.conf', ['a.conf']],
    ['/d', ['d', 'd/c.conf', 'd/e', 'd/e/f.conf', 'd/private', 'd/private/i']],
    ['/d/**', ['d/c.conf', 'd/e', 'd/e/f.conf', 'd/private', 'd/private/i']],
    [
      '/**/*.conf',
      ['.b.conf', 'a.conf', 'd/c.conf', 'd/e/f.conf', "it's [x]/g *.conf", 'linked/h.conf'],
    ],
    ['/*/*.conf', ['d/c.conf', "it's [x]/g *.conf", 'linked/h.conf']],
    ['/*/e/*', ['d/e/f.conf']],
    ['/*/e/**', ['d/e/f.conf']],
    [String.raw`/it's \[x\]/g \*.conf`, ["it's [x]/g *.conf"]],
    [String.raw`/it's \[x\]/*`, ["it's [x]/g *.conf"]],
    ['/link', ['link']],
    ['/link/*', ['link/h.conf']],
    ['/nothing/*', []],
  ])('finds what %s means', async (text, expected) => {
    const root = await tree();

    const whole = `${root}${text}`;
    const found = execFileSync('sh', [
      '-c',
      `folders='-o -type d'; find ${findArguments(whole, [])} 2>/dev/null; true`,
    ])
      .toString()
      .split('\n')
      .filter((path) => path !== '');

    const { matches } = glob(whole);
    expect(
      found
        .filter(matches)
        .map((path) => path.slice(root.length + 1))
        .sort(),
    ).toEqual(expected);
    // Little else is visited.
    expect(found.length).toBeLessThanOrEqual(
      text.includes('**/') ? files.length + 8 : expected.length + 1,
    );
  });

  it('does not look at what is excluded', async () => {
    const root = await tree();
    const skipped = [skip(`${root}/d/private`), skip(`${root}/d/e/**`)].filter(
      (each) => each !== undefined,
    );

    const found = execFileSync('sh', [
      '-c',
      `folders='-o -type d'; find ${findArguments(`${root}/d/**`, skipped)}`,
    ]);

    expect(found.toString().split('\n').sort()).toEqual(['', `${root}/d/c.conf`, `${root}/d/e`]);
    expect(skip('/etc/*/x')).toBeUndefined();
    expect(skip('*.key')).toBeUndefined();
  });

  it('looks at the root of all', () => {
    const found = execFileSync('sh', [
      '-c',
      `folders='-o -type d'; find ${findArguments('/*', [])}`,
    ])
      .toString()
      .split('\n');
    const tree = execFileSync('sh', [
      '-c',
      `find ${findArguments('/et[c]/hostnam*', [])}`,
    ]).toString();

    expect(found.every((path) => /^(?:\/[^/]+)?$/.test(path))).toBe(true);
    expect(tree).toContain('/etc/hostname\n');
  });
});
