/** Describes what a spare took over, for people. */
import { count } from '@skolo/base';
import type { FoundState } from '@skolo/setup/jumphost';
import type { Io } from '../../../io.ts';
import { printTable } from '../../../output/table.ts';
import { plain } from '../../../output/text.ts';
import { age } from '../../../output/time.ts';

const mostLeft = 10;

export function printParts(io: Io, { parts, left }: FoundState, now: number): void {
  printTable(
    io,
    [
      { title: 'PART', cell: ({ title }) => title },
      {
        title: 'STATE',
        cell: ({ time }) => (time === undefined ? 'missing' : `${age(time, now)} old`),
        style: ({ time }) => (time === undefined ? 'yellow' : undefined),
      },
      { title: 'CONSEQUENCE', cell: ({ time, without }) => (time === undefined ? without : '') },
    ],
    parts,
  );
  for (const { path, why } of left.slice(0, mostLeft)) {
    io.out(plain(`not usable: ${path}: ${why}`));
  }
  if (left.length > mostLeft) {
    io.out(`not usable: ${count(left.length - mostLeft, 'more path')}`);
  }
}
