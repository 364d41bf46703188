import { expect, it } from 'vitest';
import { oneLine } from './one-line.ts';

it('replaces line ends, control characters and unpaired surrogates', () => {
  expect(oneLine(' a\r\n\tb\u2028c \u001b[31md\u0000\ud800e\n')).toBe('a b c [31md e');
});

it('limits the text without leaving half a character or a space at its end', () => {
  expect([2, 3, 4, 5].map((most) => oneLine('ab 😀c', most))).toEqual(['ab', 'ab', 'ab', 'ab 😀']);
});
