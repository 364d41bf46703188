/** Output for many machines or devices: totals, problems with their reasons, then the rest. */
import { count } from '@skolo/base';
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

interface HeadLine {
  text: string;
  style?: Style | undefined;
}

interface Overview<Row extends { name: string }> {
  /** Lines above the table, without line ends. */
  head: readonly HeadLine[];
  /** Most urgent first. */
  rows: readonly Row[];
  columns: readonly Column<Row>[];
  remarks: readonly Remark[];
  /** Folded rows with the same verdict share a line. */
  verdict(row: Row): string;
  /** Whether the row has only its name and verdict. */
  isFoldable(row: Row): boolean;
  /** The command line names or filters rows, so none is folded. */
  isSelection: boolean;
}

/** For a terminal of unknown height. */
const usualRows = 24;

/** Folds rows only in a terminal with too few lines, so that `| grep` finds each name. */
export function printOverview<Row extends { name: string }>(
  io: Io,
  { head, rows, columns, remarks, verdict, isFoldable, isSelection }: Overview<Row>,
): void {
  const most = (io.rows ?? usualRows) - head.length - 3;
  const isFolding = io.columns !== undefined && !isSelection && rows.length > most;
  const listed = isFolding ? rows.filter((row) => !isFoldable(row)) : rows;
  const foldable = isFolding ? rows.filter(isFoldable) : [];
  const lines = (texts: readonly string[]) =>
    texts.map((text) => paragraph(plain(text), io.columns));
  const blocks = [
    head.map(({ text, style }) => styled(paragraph(plain(text), io.columns), style, io.colour)),
    isFolding && listed.length === 0 ? [] : [table(columns, listed, io)],
    // Each text once, with all its names.
    lines(foldedRemarks(remarks)),
    // `ok: rpi-[001-040]`, one line per verdict.
    lines(foldedBy(foldable, verdict).map(([word, names]) => `${word}: ${names}`)),
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

/** Each key with the names that have it. */
function foldedBy<T extends { name: string }>(
  all: readonly T[],
  keyOf: (each: T) => string,
): [key: string, names: string][] {
  const groups = [...Map.groupBy(all, keyOf)];
  return groups.map(([key, alike]) => [key, folded(alike.map(({ name }) => name))]);
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

interface Totals<Row> {
  rows: readonly Row[];
  /** Number of rows before filtering. */
  all: number;
  noun: string;
  verdict(row: Row): string;
  /** All verdicts, most urgent first; the last is that of rows without a problem. */
  order: readonly string[];
  /** Follows the totals. */
  more?: string;
}

/** `200 machines: 184 ok, 16 no-answer`. */
export function headline<Row>({ rows, all, noun, verdict, order, more }: Totals<Row>): HeadLine {
  const good = order.slice(-1);
  const verdicts = rows.map(verdict);
  const totals = tally(verdicts, [...good, ...order]);
  const text = [countOf(rows.length, all, noun), totals].filter(Boolean).join(': ');
  const isGood = verdicts.every((word) => good.includes(word));
  return { text: text + (more ?? ''), style: isGood ? 'green' : 'yellow' };
}

/** `200 machines`, or with a filter `9 of 200 machines`. */
export function countOf(shown: number, all: number, noun: string): string {
  return shown === all ? count(shown, noun) : `${shown} of ${count(all, noun)}`;
}
