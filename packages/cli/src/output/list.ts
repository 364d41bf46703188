/** Commands that list what a rack has: names, filters, totals, problems with their reasons, JSON. Each is one value of {@link List}. */
import { count } from '@skolo/base';
import type { SkoloCommand } from '../command.ts';
import {
  addFilters,
  checkValues,
  type Filter,
  type FilterOptions,
  isFiltered,
  selected,
} from '../filters.ts';
import { printJson } from '../io.ts';
import { type HeadLine, printOverview, type Remark, tally } from './overview.ts';
import type { Column } from './table.ts';

/** What a list shows. */
interface Found<Row> {
  /** In the order of JSON. */
  rows: readonly Row[];
  /** Number of rows before the command's own filters. */
  all?: number;
  /** Whether the command's own options name or filter rows. */
  isSelection?: boolean;
  /** Lines below the totals. */
  head?: readonly HeadLine[];
  /** Default: the rows, with the plural of the noun as their key. */
  json?(rows: readonly Row[]): object;
}

interface Asked<Row, Options> {
  command: SkoloCommand;
  /** The named rows, as typed. */
  words: readonly string[];
  options: Options & ListOptions;
  /** For a list that is printed several times. */
  print(found: Found<Row>): void;
}

export type ListOptions = FilterOptions & { json?: true };

interface List<Row extends { name: string }, Options extends object> extends Shown<Row, Options> {
  description: string;
  summary?: string;
  example: string;
  /** An argument for names, and its description. */
  names?: readonly [name: string, description: string];
  /** Adds further options. */
  options?(command: SkoloCommand): void;
  /** Description of `--json`. */
  json?: string;
  /** Global options that have an effect. Default: all. */
  uses?: Parameters<SkoloCommand['uses']>;

  /** Undefined: everything is printed. */
  find(asked: Asked<Row, Options>): Promise<Found<Row> | undefined>;
}

/** How a list is shown. */
export interface Shown<Row extends { name: string }, Options extends object = object> {
  filters?: readonly Filter<Row>[];
  /** Sets the exit code. */
  judge?(command: SkoloCommand, rows: readonly Row[]): void;

  noun: string;
  columns: readonly Column<Row>[];
  verdict(row: Row): string;
  /** All verdicts, most urgent first; the last is that of rows without a problem. */
  verdicts: readonly string[];
  /** Lower is more urgent. Default: by verdict. */
  rank?(row: Row): number;
  /** Default: by verdict. */
  isGood?(row: Row): boolean;
  /** Default: the number of each verdict. */
  totals?(rows: readonly Row[]): string;
  /** Follows the totals. */
  more?(rows: readonly Row[], hidden: number): string;
  /** Remarks about what several rows share. */
  remarksOnSeveral?(rows: readonly Row[]): readonly Remark[];
  remarks?(row: Row, now: number): readonly Remark[];
  below?(row: Row): readonly string[];
  /** Whether the row has only its name and verdict. Default: rows without problems and remarks. */
  isFoldable?(row: Row, now: number): boolean;
  /** Rows that are only counted, unless the command line names or filters rows. */
  isHidden?(row: Row, options: Options): boolean;
  /** A last line, unless the command line names or filters rows. */
  advice?(rows: readonly Row[]): string | undefined;
}

export function list<Row extends { name: string }, Options extends object = object>(
  about: List<Row, Options>,
): (command: SkoloCommand) => void {
  const { description, summary, example, names, filters = [], json = 'print JSON', uses } = about;
  return (command) => {
    command.description(description);
    if (summary !== undefined) command.summary(summary);
    if (names !== undefined) command.argument(...names);
    about.options?.(command);
    addFilters(command, filters);
    command.option('--json', json).example(example);
    if (uses !== undefined) command.uses(...uses);
    // Commander passes the options after the arguments.
    const act = async (words: readonly string[], options: Options & ListOptions) => {
      checkValues(filters, options);
      const print = (found: Found<Row>) => printList(about, command, words, options, found);
      const found = await about.find({ command, words, options, print });
      if (found !== undefined) print(found);
    };
    if (names !== undefined) command.action(act);
    else command.action((options: Options & ListOptions) => act([], options));
  };
}

export function printList<Row extends { name: string }, Options extends object>(
  about: Shown<Row, Options>,
  command: SkoloCommand,
  words: readonly string[],
  options: Options & ListOptions,
  found: Found<Row>,
): void {
  const { io } = command;
  const { filters = [], noun, columns, verdict, verdicts } = about;
  const { remarks = () => [], remarksOnSeveral = () => [], isHidden = () => false, below } = about;
  const { rank = (row) => verdicts.indexOf(verdict(row)) } = about;
  const { isGood = (row) => verdict(row) === verdicts.at(-1), more = () => '' } = about;
  const { totals = (rows) => tally(rows.map(verdict), [...verdicts.slice(-1), ...verdicts]) } =
    about;
  const now = io.now();
  const { isFoldable = (row) => isGood(row) && remarks(row, now).length === 0 } = about;

  const chosen = selected(io, found.rows, filters, options);
  about.judge?.(command, chosen);
  const { json = (rows) => ({ [`${noun}s`]: rows }) } = found;
  if (options.json) {
    printJson(io, json(chosen));
    return;
  }
  // All of them are unknown, which is printed already.
  if (words.length > 0 && found.rows.length === 0) return;

  const isSelection =
    words.length > 0 || isFiltered(filters, options) || found.isSelection === true;
  const rows = chosen
    .filter((row) => isSelection || !isHidden(row, options))
    .sort((a, b) => rank(a) - rank(b));
  const hidden = chosen.length - rows.length;
  const { all = found.rows.length, head = [] } = found;
  const text = [countOf(rows.length, all - hidden, noun), totals(rows)].filter(Boolean).join(': ');
  const style = rows.every(isGood) ? 'green' : 'yellow';
  printOverview(io, {
    head: [{ text: text + more(rows, hidden), style }, ...head],
    rows,
    columns,
    remarks: [...remarksOnSeveral(rows), ...rows.flatMap((row) => remarks(row, now))],
    ...(below && { below }),
    folding: isSelection ? undefined : { verdict, isFoldable: (row) => isFoldable(row, now) },
  });
  const advice = isSelection ? undefined : about.advice?.(rows);
  if (advice !== undefined) io.out(advice);
}

/** `200 machines`, or with a filter `9 of 200 machines`. */
export function countOf(shown: number, all: number, noun: string): string {
  return shown === all ? count(shown, noun) : `${shown} of ${count(all, noun)}`;
}
