/** Output for many machines or devices: totals, problems with their reasons, then the rest. */
import type { Io } from '../io.ts';
import { folded } from '../names.ts';
import { type Column, table } from './table.ts';
import { count, paragraph, plain, type Style, styled } from './text.ts';

/** A sentence below the table about one row. */
export interface Remark {
  name: string;
  text: string;
}

interface Overview<Row extends { name: string }> {
  /** Lines above the table, without line ends. */
  head: readonly { text: string; style?: Style | undefined }[];
  /** The most urgent first. */
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
export async function printOverview<Row extends { name: string }>(
  io: Io,
  { head, rows, columns, remarks, verdict, isFoldable, isSelection }: Overview<Row>,
): Promise<void> {
  const most = (io.rows ?? usualRows) - head.length - 3;
  const isFolding = io.columns !== undefined && !isSelection && rows.length > most;
  const listed = isFolding ? rows.filter((row) => !isFoldable(row)) : rows;
  const blocks = [
    head.map(({ text, style }) => styled(paragraph(plain(text), io.columns), style, io.colour)),
    isFolding && listed.length === 0 ? [] : [table(columns, listed, io)],
    (await foldedRemarks(remarks)).map((text) => paragraph(plain(text), io.columns)),
    await foldedRows(isFolding ? rows.filter(isFoldable) : [], verdict, io.columns),
  ];
  io.out(
    blocks
      .filter((block) => block.length > 0)
      .map((block) => block.join('\n'))
      .join('\n\n'),
  );
}

/** `ok: rpi-[001-040]`, one line per verdict. */
async function foldedRows<Row extends { name: string }>(
  rows: readonly Row[],
  verdict: (row: Row) => string,
  width: number | undefined,
): Promise<string[]> {
  const lines: string[] = [];
  for (const [word, alike] of groupsOf(rows, verdict)) {
    const names = await folded(alike.map(({ name }) => name));
    lines.push(paragraph(plain(`${word}: ${names}`), width));
  }
  return lines;
}

/** Each text once, with all its names. */
async function foldedRemarks(remarks: readonly Remark[]): Promise<string[]> {
  const lines: string[] = [];
  for (const [text, alike] of groupsOf(remarks, (remark) => remark.text)) {
    lines.push(`${await folded(alike.map(({ name }) => name))}: ${text}`);
  }
  return lines;
}

function groupsOf<T>(all: readonly T[], keyOf: (each: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const each of all) {
    const group = groups.get(keyOf(each));
    if (group === undefined) groups.set(keyOf(each), [each]);
    else group.push(each);
  }
  return groups;
}

/** `184 ok, 9 quarantined`: words in `order` first. */
export function tally(words: readonly string[], order: readonly string[]): string {
  const groups = groupsOf(words, (word) => word);
  return [...new Set([...order, ...groups.keys()])]
    .flatMap((word) => {
      const alike = groups.get(word);
      return alike === undefined ? [] : [`${alike.length} ${word}`];
    })
    .join(', ');
}

/** `200 machines: 184 ok, 16 no-answer`. */
export function headline(number: string, totals: string, isWell: boolean, more = '') {
  const style: Style = isWell ? 'green' : 'yellow';
  return { text: `${number}${totals && `: ${totals}`}${more}`, style };
}

/** `200 machines`, or with a filter `9 of 200 machines`. */
export function countOf(shown: number, all: number, noun: string): string {
  return shown === all ? count(shown, noun) : `${shown} of ${count(all, noun)}`;
}
