import { describe, expect, it } from 'vitest';
import { folded, foldedItems, namesOf } from './names.ts';

describe('names on the command line', () => {
  it.each([
    [['a'], ['a'], 1],
    [['rpi-[001-003]', 'pdu-1/4'], ['rpi-[001-003]', 'pdu-1/4'], 4],
    [['a,b c', 'd-[1,3],e'], ['a', 'b', 'c', 'd-[1,3]', 'e'], 6],
  ])('%j', (words, names, count) => {
    expect(namesOf(words)).toEqual({ names, count });
  });

  it.each([
    [['a-[3-1]'], 'is reversed'],
    [[','], 'no name'],
  ])('are rejected: %j', (words, message) => {
    expect(() => namesOf(words)).toThrow(message);
  });
});

describe('folded names', () => {
  it.each([
    [[], ''],
    [['spare'], 'spare'],
    [['rpi-10', 'rpi-9', 'rpi-8', 'rpi-10'], 'rpi-[8-10]'],
    [
      ['rpi-1', 'rpi-1-device', 'pdu-1', 'rpi-2-device', 'rpi-2'],
      'pdu-1,rpi-[1-2],rpi-[1-2]-device',
    ],
  ])('of %j are %s', (names, text) => {
    expect(folded(names)).toBe(text);
  });

  it('can be taken apart again, and pasted', () => {
    const text = folded(['a-[1]', 'b-1', 'b-2', 'c']);

    expect(foldedItems(text)).toEqual(['a-[1]', 'b-[1-2]', 'c']);
  });
});
