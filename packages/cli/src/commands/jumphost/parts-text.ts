/** What a spare took over, for people. */
import type { FoundPart, StateCopy } from '@skolo/jumphost';
import type { Io } from '../../io.ts';
import { printTable } from '../../output/table.ts';
import { age } from '../../output/time.ts';

export function printParts(
  io: Io,
  parts: readonly FoundPart[],
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
      { title: 'THAT MEANS', cell: ({ isThere, without }) => (isThere ? '' : without) },
    ],
    parts,
  );
}
