import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run, runs, tempDir } from '@skolo/base/testing';
import { lacks } from '@skolo/simulators';
import fc from 'fast-check';
import { afterAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { changedLines, difference } from './diff.ts';

const names = { from: 'switch-1 1a2b3c', to: 'switch-1 4d5e6f' };

const folder = await tempDir(afterAll);
await run('git', ['init', '-q', folder]);

/** The text to which git applies this difference. */
async function applied(from: string, diff: string): Promise<string> {
  const file = join(folder, 'config');
  await writeFile(file, from);
  await writeFile(
    join(folder, 'patch'),
    diff.replace(/^--- .*\n\+\+\+ .*$/m, '--- config\n+++ config'),
  );
  const args = [
    '-c',
    'core.autocrlf=false',
    'apply',
    '-p0',
    '--unidiff-zero',
    '--whitespace=nowarn',
  ];
  await run('git', [...args, 'patch'], { cwd: folder });
  return await readFile(file, 'utf8');
}

/** Two different lines, so that many are the same. */
const line = fc.oneof(
  fc.constantFrom('exit', '!', '', ' ', '--- a', '+++ b', '@@ -1 +1 @@', '\\ No newline', '\r'),
  fc.string({ unit: 'grapheme', maxLength: 20 }).map((text) => text.replaceAll(/[\r\n]/g, ' ')),
);
const text = fc
  .tuple(fc.array(line, { maxLength: 30 }), fc.boolean())
  .map(([lines, isEnded]) => lines.join('\n') + (isEnded && lines.length > 0 ? '\n' : ''));

describe('a difference', () => {
  it('is nothing between equals', () => {
    expect(difference('a\n', 'a\n', names)).toBe('');
  });

  it('shows what came and went, and three lines around', () => {
    const from = 'a\nb\nc\nd\ne\nf\ng\nh\n';

    expect(difference(from, from.replace('e\n', 'E\nE2\n'), names)).toBe(
      '--- switch-1 1a2b3c\n+++ switch-1 4d5e6f\n@@ -2,7 +2,8 @@\n b\n c\n d\n-e\n+E\n+E2\n f\n g\n h\n',
    );
  });

  it('brings git from the one text to the other', async () => {
    await fc.assert(
      fc.asyncProperty(text, text, async (from, to) => {
        fc.pre(from !== to && from !== '' && to !== '');
        expect(await applied(from, difference(from, to, names))).toBe(to);
      }),
      runs(40),
    );
  });

  it.skipIf(lacks('patch'))('is one that patch takes, too', async () => {
    const from = Array.from({ length: 300 }, (_, n) => `vlan ${n}\n`).join('');
    const to = from.replaceAll(/^vlan .*7\n/gm, '').replaceAll(/^(vlan .*3)\n/gm, '$1\nname lab\n');
    await writeFile(join(folder, 'old'), from);
    await writeFile(join(folder, 'difference'), difference(from, to, names));

    await run('patch', ['--fuzz=0', 'old', 'difference'], { cwd: folder });

    expect(await readFile(join(folder, 'old'), 'utf8')).toBe(to);
  });

  it('of texts with nothing in common is still one', async () => {
    const from = `same\n${lines(6000, 'old')}end\n`;
    const to = `same\n${lines(6000, 'new')}end\n`;

    expect(await applied(from, difference(from, to, names))).toBe(to);
  });

  it('of 20 MB with a few changes shows them', () => {
    const from = lines(500_000, 'a line that is as long as most of them are');
    const to = from.replaceAll(/^.* \d*00777\n/gm, 'changed\n');
    // It uses most of its time limit of one second, and more on a busy computer.
    vi.useFakeTimers({ toFake: ['Date'] });
    onTestFinished(() => void vi.useRealTimers());

    const diff = difference(from, to, names);

    expect(diff.match(/^\+changed$/gm)).toHaveLength(4);
  });

  it('of 8 MB with heavy changes ends in a sentence', () => {
    const from = lines(200_000, 'a line that is as long as most of them are');
    const to = lines(200_000, 'quite another line');

    expect(difference(from, to, names)).toBe(
      `--- ${names.from}\n+++ ${names.to}\nthe change is too large to compare line by line: 200000 lines from line 1 replaced by 200000 lines\n`,
    );
  });

  it('has no line of its own from a name', () => {
    expect(difference('a', 'b', { from: 'x\n+evil', to: 'y' }).split('\n')[0]).toBe('--- x +evil');
  });
});

it.each([
  ['', 'a\nb', { added: 2, removed: 0 }],
  ['a\n', '', { added: 0, removed: 1 }],
  ['a\nb\nc\n', 'a\nc\nd\ne\n', { added: 2, removed: 1 }],
  [lines(9000, 'old'), lines(9001, 'new'), { added: 9001, removed: 9000 }],
])('changed lines are counted', (from, to, expected) => {
  expect(changedLines(from, to)).toEqual(expected);
});

function lines(count: number, text: string) {
  return Array.from({ length: count }, (_, n) => `${text} ${n}\n`).join('');
}
