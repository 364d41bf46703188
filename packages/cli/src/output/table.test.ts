import { describe, expect, it } from 'vitest';
import { type Column, table } from './table.ts';

interface Row {
  name: string;
  shelf?: string;
  feeds: string[];
  requests: number;
}

const columns: Column<Row>[] = [
  { title: 'NAME', cell: ({ name }) => name, shrinkTo: 8 },
  { title: 'SHELF', cell: ({ shelf }) => shelf, leaveOut: 1 },
  { title: 'POWER', cell: ({ feeds }) => feeds, shrinkTo: 9 },
  { title: 'REQUESTS', cell: ({ requests }) => String(requests), align: 'right' },
];

const rows: Row[] = [
  { name: 'skia-rpi2-rack4-001', shelf: 'shelf1', feeds: ['switch-1/1'], requests: 1204 },
  { name: 'linux', feeds: ['pdu-1/5', 'pdu-1/6'], requests: 7 },
  { name: 'spare', feeds: [], requests: 0 },
];

function lines(width: number | undefined): string[] {
  return table(columns, rows, { columns: width, colour: false, now: () => 0 }).split('\n');
}

describe('a table', () => {
  it('has its full width outside of a terminal', () => {
    expect(lines(undefined)).toEqual([
      'NAME                 SHELF   POWER            REQUESTS',
      'skia-rpi2-rack4-001  shelf1  switch-1/1           1204',
      'linux                -       pdu-1/5,pdu-1/6         7',
      'spare                -       -                       0',
    ]);
  });

  it('shrinks where it may, the widest column first', () => {
    expect(lines(45)).toEqual([
      'NAME            SHELF   POWER       REQUESTS',
      'skia-r…ck4-001  shelf1  switch-1/1      1204',
      'linux           -       pdu-1/5+1          7',
      'spare           -       -                  0',
    ]);
  });

  it('leaves out a column if shrinking is not enough, and then uses the full width', () => {
    expect(lines(36)).toEqual([
      'NAME            POWER       REQUESTS',
      'skia-r…ck4-001  switch-1/1      1204',
      'linux           pdu-1/5+1          7',
      'spare           -                  0',
    ]);
  });

  it('moves texts to the next line if it does not fit otherwise', () => {
    const withText: Column<Row>[] = [
      ...columns,
      {
        title: 'NOTE',
        cell: ({ shelf }) => shelf && `on ${shelf}, with a note of some words`,
        below: true,
      },
    ];
    const text = (width: number | undefined) =>
      table(withText, rows, { columns: width, colour: false, now: () => 0 }).split('\n');

    expect(text(undefined)).toHaveLength(4);
    expect(text(100)).toEqual(text(undefined));
    expect(text(60).slice(0, 3)).toEqual([
      'NAME                 SHELF   POWER            REQUESTS',
      'skia-rpi2-rack4-001  shelf1  switch-1/1           1204',
      '  on shelf1, with a note of some words',
    ]);
    expect(text(60)).toHaveLength(5);
    expect(text(36).slice(2, 4)).toEqual(['  on shelf1, with a note of some', '    words']);
  });

  it('cuts cells and titles where no column is left to leave out', () => {
    expect(lines(20)[0]).toBe('NAME    POWER   RE…S');
  });

  it('gives up where nothing is left to take', () => {
    expect(lines(10)[1]).toBe('s…1  s…1  1…4');
  });

  it('is never wider than the terminal while it can be narrower', () => {
    for (let width = 13; width < 60; width++) {
      expect(Math.max(...lines(width).map((line) => line.length))).toBeLessThanOrEqual(width);
    }
  });

  it('has a head also without rows, and colours only if enabled', () => {
    expect(table(columns, [], { columns: undefined, colour: false, now: () => 0 })).toBe(
      'NAME  SHELF  POWER  REQUESTS',
    );
    expect(table(columns.slice(0, 1), [], { columns: undefined, colour: true, now: () => 0 })).toBe(
      '\x1b[1mNAME\x1b[22m',
    );
  });

  it('keeps its columns whatever is in a cell', () => {
    const [, row] = table(columns, [{ name: 'evil\n\x1b[2Jname', feeds: ['a\tb'], requests: 1 }], {
      columns: undefined,
      colour: false,
      now: () => 0,
    }).split('\n');

    expect(row).toBe('evil name  -      a b           1');
  });
});
