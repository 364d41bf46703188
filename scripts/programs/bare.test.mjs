import { describe, expect, it } from 'vitest';
import { entryOf, isChanged } from './bare.mjs';

describe('a test file runs again without its programs', () => {
  const changes = { files: new Set(['packages/a/src/a.test.ts']), peers: new Set(['nft']) };

  it.each([
    ['that has changed', 'packages/a/src/a.test.ts', ['curl'], true],
    ['that has changed and asks for nothing', 'packages/a/src/a.test.ts', [], false],
    ['whose program has changed', 'packages/a/src/b.test.ts', ['curl', 'nft'], true],
    ['of which nothing has changed', 'packages/a/src/b.test.ts', ['curl'], false],
  ])('%s: %s', (_what, file, asked, expected) => {
    expect(isChanged({ file, asked }, changes)).toBe(expected);
  });

  it('the entry of a program is what is between those of its neighbours', () => {
    const text = `[
  {
    name: 'a',
    debian: ['a'],
  },
  {
    name: 'b',
    debian: ['b'],
  },
`;
    const other = text.replace("debian: ['b']", "debian: ['c']");

    expect(entryOf(text, 'a')).toBe(entryOf(other, 'a'));
    expect(entryOf(text, 'b')).not.toBe(entryOf(other, 'b'));
    expect(entryOf(text, 'c')).toBeUndefined();
  });
});
