import { describe, expect, it } from 'vitest';
import { hasControl, paragraph, plain, shorten, shortenList, visible, wrapped } from './text.ts';

it('a name cannot move the cursor, clear the screen or begin another line', () => {
  expect(plain('a\x1b[2Jb\x1b]0;title\x07c\r\nd\te\x9b')).toBe('abc  d e ');
});

/** The left-to-right and right-to-left marks, embeddings, overrides and isolates of UAX #9. */
const directions = '\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069';

it('a name cannot turn the direction of what follows', () => {
  expect(plain('rpi-\u202e100')).toBe('rpi- 100');
  expect(plain(directions).trim()).toBe('');
});

it('lines show the characters that would change the terminal', () => {
  expect(visible('a\x1b[2J\r\nb\u202ec\x9b\td')).toBe('a^[[2J\nb<U+202E>cM-^[\td');
  expect(visible('\u061c')).toBe('<U+061C>');
  expect([...directions].every((each) => hasControl(each))).toBe(true);
  expect(visible('Zürich ⚡ שלום')).toBe('Zürich ⚡ שלום');
});

it.each([
  ['rpi-001', 7, 'rpi-001'],
  ['skia-rpi2-rack4-shelf1-001', 16, 'skia-r…helf1-001'],
  ['rpi-001', 3, 'r…1'],
  ['rpi-001', 1, '…'],
  ['rpi-001', 0, ''],
  ['⚡⚡⚡⚡', 3, '⚡…⚡'],
])('shorten: %s to %d is %s', (text, width, short) => {
  expect(shorten(text, width)).toBe(short);
});

const list = ['pdu-1/5', 'pdu-1/6', 'pdu-2/5'];

it.each([
  [23, 'pdu-1/5,pdu-1/6,pdu-2/5'],
  [22, 'pdu-1/5,pdu-1/6+1'],
  [16, 'pdu-1/5+2'],
  [8, 'pdu…-2/5'],
])('shortenList: to %d is %s', (width, short) => {
  expect(shortenList(list, width)).toBe(short);
});

describe('wrapped', () => {
  const items = ['switch-1/1', 'switch-1', 'pdu-1/2'];

  it('breaks lines between items, under the first one', () => {
    expect(wrapped('  needs  ', items, 31)).toBe(
      '  needs  switch-1/1, switch-1,\n         pdu-1/2',
    );
  });

  it('is one line without a terminal, or if it fits', () => {
    const line = '  needs  switch-1/1, switch-1, pdu-1/2';

    expect(wrapped('  needs  ', items, undefined)).toBe(line);
    expect(wrapped('  needs  ', items, line.length)).toBe(line);
  });

  it('never breaks an item', () => {
    expect(wrapped('> ', items, 4)).toBe('> switch-1/1,\n  switch-1,\n  pdu-1/2');
  });
});

it('an indented paragraph keeps its indentation, and indents further lines more', () => {
  expect(paragraph('    switch-1 is down: none responds', 22)).toBe(
    '    switch-1 is down:\n      none responds',
  );
});
