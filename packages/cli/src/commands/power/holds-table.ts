import type { Hold } from '@skolo/api';
import { shortId } from '@skolo/api/ids';
import type { Io } from '../../io.ts';
import { type Column, printTable } from '../../output/table.ts';
import { duration, timestamp } from '../../output/time.ts';

/** Holds, the one that ends last at the bottom. */
export function printHolds(io: Io, holds: readonly Hold[]): void {
  const sorted = holds.toSorted((a, b) => Date.parse(a.until) - Date.parse(b.until));
  printTable(io, columns(io.now()), sorted);
}

function columns(now: number): Column<Hold>[] {
  return [
    { title: 'ID', cell: ({ id }) => shortId(id), leaveOut: 2 },
    { title: 'TARGET', cell: ({ target }) => target, shrinkTo: 16 },
    { title: 'UNTIL', cell: ({ until }) => timestamp(new Date(until)), leaveOut: 1 },
    { title: 'LEFT', cell: ({ until }) => duration((Date.parse(until) - now) / 1000) },
    { title: 'BY', cell: ({ by }) => by, shrinkTo: 8 },
    { title: 'REASON', cell: ({ reason }) => reason, shrinkTo: 16 },
  ];
}
