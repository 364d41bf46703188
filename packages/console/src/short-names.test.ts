import { expect, it } from 'vitest';
import { shortened, shortNames } from '../pages/src/rack/short-names.ts';

const x = 'x'.repeat(60);
const forty = Array.from({ length: 40 }, (_, i) => String(i + 1).padStart(3, '0'));

it.each<[string, string[], string[]]>([
  ['what follows a dash', ['rpi-rack4-001', 'rpi-rack4-002'], ['001', '002']],
  ['nothing without a dash', ['rpi001', 'rpi002'], ['rpi001', 'rpi002']],
  ['numbers at the end', forty.map((each) => x + each), forty],
  ['numbers at the beginning', forty.map((each) => each + x), forty],
  ['numbers in between', forty.map((each) => `a${x}${each}${x}b`), forty],
  ['words', [`${x}left`, `${x}right`], ['left', 'right']],
  ['both ends', [`kitchen${x}1`, `hall${x}2`], ['kitch…xxx1', 'hallx…xxx2']],
  ['one that the others begin with', ['a'.repeat(11), 'a'.repeat(12)], ['aaaaaaaaaa', 'a']],
  ['the only name', [`rpi-${x}`], ['rpi-x…xxxx']],
  ['no name', [], []],
])('shows %s', (_, names, expected) => {
  expect(shortNames(names)).toEqual(expected);
});

it('shortens labels between characters', () => {
  expect(shortened('Küche, links')).toBe('Küche…inks');
  expect(shortened('📱'.repeat(11))).toBe(`${'📱'.repeat(5)}…${'📱'.repeat(4)}`);
  expect(shortened('ten digits')).toBe('ten digits');
});
