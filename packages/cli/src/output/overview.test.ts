import { expect, it } from 'vitest';
import { foldedRemarks, type Remark } from './overview.ts';

const twelve = Array.from({ length: 12 }, (_, i) => ({
  name: `rpi-${i + 1}`,
  at: `10.0.4.${i + 101}:8005`,
  text: 'no response: connection refused',
}));

it.each<[string, Remark[], string[]]>([
  ['nothing', [], []],
  [
    'twelve machines with one cause are one line',
    twelve,
    ['rpi-[1-12] (10.0.4.[101-112]:8005): no response: connection refused'],
  ],
  [
    'without an address',
    twelve.map(({ name, text }) => ({ name, text })),
    ['rpi-[1-12]: no response: connection refused'],
  ],
  [
    'another cause is another line, in order',
    [...twelve.slice(0, 2), { name: 'rpi-9', text: 'quarantined' }, ...twelve.slice(2, 3)],
    ['rpi-[1-3] (10.0.4.[101-103]:8005): no response: connection refused', 'rpi-9: quarantined'],
  ],
  [
    'several outlets of one machine',
    [1, 2].map((port) => ({ name: 'a', at: `pdu-1/${port}`, text: 'turned off by ann' })),
    ['a (pdu-1/[1-2]): turned off by ann'],
  ],
])('%s', (_, remarks, lines) => {
  expect(foldedRemarks(remarks)).toEqual(lines);
});
