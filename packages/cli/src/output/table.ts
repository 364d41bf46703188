/** Prints a table, and decides which columns a narrow terminal leaves out (`leaveOut`) or shortens (`shrinkTo`). */
import type { Io } from '../io.ts';
import { paragraph, plain, type Style, shorten, shortenList, styled, widthOf } from './text.ts';

export interface Column<Row> {
  /** In capitals. */
  title: string;
  /**
   * A text, a number or a list; an empty cell is printed as `-`, so that every line has the same columns.
   *
   * @param now milliseconds since 1970
   */
  cell(row: Row, now: number): string | number | string[] | undefined;
  style?(row: Row, now: number): Style | undefined;
  /** As numbers are. */
  align?: 'right';
  /** Minimum width in a narrow terminal. */
  shrinkTo?: number;
  /** The column can be omitted; the lowest number first. */
  leaveOut?: number;
  /** A text. In a terminal that is too narrow for the whole table, it follows on the next line instead. */
  below?: true;
}

type TableOptions = Pick<Io, 'columns' | 'colour' | 'now'>;

const gap = '  ';

/** Prints a table; without rows, only its header. */
export function printTable<Row>(io: Io, columns: readonly Column<Row>[], rows: readonly Row[]) {
  io.out(table(columns, rows, io));
}

/** The table as text, without a final line end. @param below lines below a row, which may be wider than the table */
export function table<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  { columns: available, colour, now }: TableOptions,
  below: (row: Row) => readonly string[] = () => [],
): string {
  const time = now();
  const all = columns.map((column) => laidOut(column, rows, time));
  const isWide = available === undefined || totalWidth(all) <= available;
  const texts = all.filter((_, i) => !isWide && columns[i]?.below);
  const shown = fit(
    all.filter((column) => !texts.includes(column)),
    available,
  );
  const textOf = (row: number) => {
    const items = texts
      .flatMap(({ cells }) => cells[row]?.items ?? [])
      .filter((each) => each !== '-');
    const width = available && available - gap.length;
    const text = paragraph(items.join('; '), width).replaceAll('\n', `\n${gap}`);
    return items.length === 0 ? [] : [gap + text];
  };
  const line = (row: number) =>
    shown
      .map((each, i) => cellText(each, row, { colour, last: i === shown.length - 1 }))
      .join(gap)
      .trimEnd();
  return [line(-1), ...rows.flatMap((row, i) => [line(i), ...textOf(i), ...below(row)])].join('\n');
}

/** A column and its cells. */
interface LaidOut {
  title: string;
  cells: { items: string[]; style: Style | undefined }[];
  width: number;
  align: 'right' | undefined;
  shrinkTo: number;
  leaveOut: number | undefined;
}

function laidOut<Row>(column: Column<Row>, rows: readonly Row[], now: number): LaidOut {
  const { title, leaveOut } = column;
  const values = rows.map((row) => column.cell(row, now));
  const isNumber = values.some((value) => typeof value === 'number');
  const align = column.align ?? (isNumber ? 'right' : undefined);
  const cells = rows.map((row, i) => {
    const items = [values[i] ?? []].flat().map((item) => plain(String(item)));
    return { items: items.join('') === '' ? ['-'] : items, style: column.style?.(row, now) };
  });
  const widths = cells.map(({ items }) => widthOf(items.join(',')));
  const width = Math.max(widthOf(title), ...widths);
  const shrinkTo = Math.max(widthOf(title), Math.min(column.shrinkTo ?? width, width));
  return { title, cells, width, align, leaveOut, shrinkTo };
}

/** Columns and widths that fit. */
function fit(columns: LaidOut[], available: number | undefined): LaidOut[] {
  if (available === undefined) return columns;
  const least = columns.map((column) => ({ ...column, width: column.shrinkTo }));
  if (totalWidth(least) <= available) return shrunk(columns, available);
  const droppable = columns.filter(({ leaveOut }) => leaveOut !== undefined);
  const [first] = droppable.sort((a, b) => (a.leaveOut ?? 0) - (b.leaveOut ?? 0));
  if (first === undefined) return shrunk(least.map(narrowest), available);
  return fit(
    columns.filter((column) => column !== first),
    available,
  );
}

/** If no column can be omitted, also truncates titles: a wrapped line breaks every column. */
function narrowest(column: LaidOut): LaidOut {
  return { ...column, shrinkTo: Math.min(column.shrinkTo, 3) };
}

/** Shrinks the widest columns until all fit or have their minimum width. */
function shrunk(columns: LaidOut[], available: number): LaidOut[] {
  const narrower = columns.map((column) => ({ ...column }));
  while (totalWidth(narrower) > available) {
    const candidates = narrower.filter(({ width, shrinkTo }) => width > shrinkTo);
    if (candidates.length === 0) break;
    const widest = candidates.reduce((a, b) => (b.width > a.width ? b : a));
    widest.width = widthUsed(widest, widest.width - 1);
  }
  return narrower;
}

/** A shortened list may need less. */
function widthUsed({ cells, shrinkTo }: LaidOut, width: number): number {
  const widths = cells.map(({ items }) => widthOf(shortened(items, width)));
  return Math.max(shrinkTo, ...widths);
}

function totalWidth(columns: LaidOut[]): number {
  return columns.reduce((sum, { width }) => sum + width + gap.length, -gap.length);
}

function cellText(
  { title, cells, width, align }: LaidOut,
  row: number,
  { colour, last }: { colour: boolean; last: boolean },
): string {
  const { items, style } = cells[row] ?? { items: [title], style: 'bold' as const };
  const text = shortened(items, width);
  const padding = ' '.repeat(Math.max(0, width - widthOf(text)));
  const shown = styled(text, style, colour);
  if (align === 'right') return padding + shown;
  return last ? shown : shown + padding;
}

function shortened(items: string[], width: number): string {
  return items.length > 1 ? shortenList(items, width) : shorten(items[0] ?? '', width);
}
