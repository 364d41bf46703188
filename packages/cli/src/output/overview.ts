/** Output for many machines or devices: totals, problems with their reasons, then the rest. */
import type { Io } from '../io.ts';
import { folded } from '../names.ts';
import { type Column, table } from './table.ts';
import { paragraph, plain, type Style, styled } from './text.ts';

/** A sentence below the table about one row. */
export interface Remark {
  name: string;
  /** The row's own address, outlet or port, so that rows with the same problem have the same text. */
  at?: string;
  text: string;
}

export interface HeadLine {
  text: string;
  style?: Style | undefined;
}

interface Overview<Row extends { name: string }> {
  /** Lines above the table, without line ends. */
  head?: readonly HeadLine[];
  /** Most urgent first. */
  rows: readonly Row[];
  columns: readonly Column<Row>[];
  remarks: readonly Remark[];
  /** Lines below a row, which may be wider than the table. */
  below?(row: Row): readonly string[];
  /** In a terminal with too few lines, rows with only a name and a verdict share a line per verdict. Default: none. */
  folding?: { verdict(row: Row): string; isFoldable(row: Row): boolean } | undefined;
}

/** For a terminal of unknown height. */
const usualRows = 24;

/** Folds rows only in a terminal with too few lines, so that `| grep` finds each name. */
export function printOverview<Row extends { name: string }>(
  io: Io,
  { head = [], rows, columns, remarks, below, folding }: Overview<Row>,
): void {
  const most = (io.rows ?? usualRows) - head.length - 3;
  const isFolding = folding !== undefined && io.columns !== undefined && rows.length > most;
  const [foldable = [], listed = []] = isFolding
    ? [rows.filter(folding.isFoldable), rows.filter((row) => !folding.isFoldable(row))]
    : [[], rows];
  const alike = Map.groupBy(foldable, (row) => folding?.verdict(row));
  const lines = (texts: readonly string[]) =>
    texts.map((text) => paragraph(plain(text), io.columns));
  const blocks = [
    head.map(({ text, style }) => styled(paragraph(plain(text), io.columns), style, io.colour)),
    isFolding && listed.length === 0 ? [] : [table(columns, listed, io, below)],
    // Each text once, with all its names.
    lines(foldedRemarks(remarks)),
    // `ok: rpi-[001-040]`, one line per verdict.
    lines([...alike].map(([word, its]) => `${word}: ${folded(its.map(({ name }) => name))}`)),
  ];
  io.out(
    blocks
      .filter((block) => block.length > 0)
      .map((block) => block.join('\n'))
      .join('\n\n'),
  );
}

/** `rpi-[001-012] (switch-1/[1-12]): turned off by ann` */
export function foldedRemarks(remarks: readonly Remark[]): string[] {
  const groups = [...Map.groupBy(remarks, ({ text }) => text)];
  return groups.map(([text, alike]) => {
    const names = folded(alike.map(({ name }) => name));
    const places = folded(alike.flatMap(({ at }) => at ?? []));
    return `${names}${places === '' ? '' : ` (${places})`}: ${text}`;
  });
}

/** `184 ok, 9 quarantined`: words in `order` first. */
export function tally(words: readonly string[], order: readonly string[] = []): string {
  const groups = Map.groupBy(words, (word) => word);
  return [...new Set([...order, ...groups.keys()])]
    .flatMap((word) => {
      const alike = groups.get(word);
      return alike === undefined ? [] : [`${alike.length} ${word}`];
    })
    .join(', ');
}
