/** Options that filter rows of a table, such as `--only`. */
import { didYouMean } from '@skolo/rack/light';
import { Option } from 'commander';
import type { SkoloCommand } from './command.ts';
import { complain, usageError } from './errors.ts';
import type { Io } from './io.ts';

type FilterName =
  | ('shelf' | 'kind' | 'model' | 'pool' | 'verdict' | 'condition' | 'code' | 'state')
  | ('severity' | 'alert');

/** Values from the command line, separated by commas. */
export type FilterOptions = Readonly<Partial<Record<FilterName, readonly string[]>>>;

export interface Filter<Row> {
  /** Name of the option. */
  name: FilterName;
  /** For help. */
  description: string;
  /** Valid values. Default: those in the rows. */
  values?: readonly string[];
  /** A value without a row is a warning, not an error. */
  isOpen?: boolean;
  /** A row can have several values. */
  of(row: Row): string | readonly string[] | undefined;
}

/** Adds the option of each filter. */
export function addFilters<Row>(command: SkoloCommand, filters: readonly Filter<Row>[]): void {
  for (const { name, description, values } of filters) {
    const option = new Option(`--${name} <${name}>`, description).argParser(listOf);
    // Shown in the help and completed, but checked later, because a list is one value.
    if (values) option.argChoices = [...values];
    command.addOption(option);
  }
}

/** Whether the command line has a filter. */
export function isFiltered<Row>(filters: readonly Filter<Row>[], options: FilterOptions): boolean {
  return filters.some(({ name }) => options[name] !== undefined);
}

/**
 * Checks fixed values before any request.
 *
 * @throws CliError A value is unknown.
 */
export function checkValues<Row>(filters: readonly Filter<Row>[], options: FilterOptions): void {
  for (const { name, values } of filters) {
    const unknown = options[name]?.find((value) => values && !values.includes(value));
    if (unknown !== undefined) throw usageError(unknownValue(name, unknown, values ?? []));
  }
}

/**
 * Rows that match all filters.
 *
 * @throws CliError A value is unknown. The message lists the valid ones.
 */
export function selected<Row>(
  io: Pick<Io, 'err'>,
  rows: readonly Row[],
  filters: readonly Filter<Row>[],
  options: FilterOptions,
): Row[] {
  checkValues(filters, options);
  let left = [...rows];
  for (const filter of filters) {
    const wanted = options[filter.name];
    if (wanted === undefined) continue;
    const known =
      filter.values ?? [...new Set(rows.flatMap((row) => valuesOf(filter, row)))].sort();
    for (const value of wanted) {
      if (known.includes(value)) continue;
      if (!filter.isOpen) throw usageError(unknownValue(filter.name, value, known));
      complain(io, absentValue(filter.name, value, known));
    }
    left = left.filter((row) => valuesOf(filter, row).some((value) => wanted.includes(value)));
  }
  return left;
}

function valuesOf<Row>({ of }: Filter<Row>, row: Row): readonly string[] {
  return [of(row) ?? []].flat();
}

const mostListed = 20;

function unknownValue(name: string, value: string, known: readonly string[]): string {
  return `--${name} ${value}: unknown ${name}${whatElse(name, value, known, 'valid')}`;
}

function absentValue(name: string, value: string, known: readonly string[]): string {
  return `--${name} ${value}: not found${whatElse(name, value, known, 'the list contains')}`;
}

function whatElse(name: string, value: string, known: readonly string[], title: string): string {
  const more = known.length - mostListed;
  const list = known.slice(0, mostListed).join(', ') + (more > 0 ? ` and ${more} more` : '');
  const others = known.length === 0 ? `no row has a value for --${name}` : `${title}: ${list}`;
  const guess = didYouMean(value, known);
  return `${guess === '' ? ';' : guess} ${others}`;
}

function listOf(text: string): string[] {
  return text
    .split(',')
    .map((value) => value.trim())
    .filter((value) => value !== '');
}
