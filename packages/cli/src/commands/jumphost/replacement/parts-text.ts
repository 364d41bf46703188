/** Describes what a spare took over, for people. */
import { count } from '@skolo/base';
import type { FoundState, StateCopy } from '@skolo/jumphost';
import type { Io } from '../../../io.ts';
import { printTable } from '../../../output/table.ts';
import { plain } from '../../../output/text.ts';
import { age } from '../../../output/time.ts';

const mostLeft = 10;

export function printParts(
  io: Io,
  { parts, left }: FoundState,
  { time }: Pick<StateCopy, 'time'>,
  now: number,
): void {
  printTable(
    io,
    [
      { title: 'PART', cell: ({ title }) => title },
      {
        title: 'STATE',
        cell: ({ isThere }) => (isThere ? `${age(time, now)} old` : 'missing'),
        style: ({ isThere }) => (isThere ? undefined : 'yellow'),
      },
      { title: 'CONSEQUENCE', cell: ({ isThere, without }) => (isThere ? '' : without) },
    ],
    parts,
  );
  for (const { path, why } of left.slice(0, mostLeft)) {
    io.out(plain(`not in the copy: ${path}: ${why}`));
  }
  if (left.length > mostLeft) {
    io.out(`not in the copy: ${count(left.length - mostLeft, 'more path')}`);
  }
}
