/**
 * Redraws lines at the bottom of a terminal. Uses only control functions that every terminal since the VT100 supports (ECMA-48):
 * cursor up, erase in line, erase in page. The cursor stays visible at the start of the line below, so that the terminal is usable however
 * the process ends.
 */
import { stripVTControlCharacters } from 'node:util';
import type { Io } from '../io.ts';
import { cutOff, plain, printable, type Style, shorten, styled, widthOf } from './text.ts';

export class LiveArea {
  private readonly io: Pick<Io, 'raw' | 'columns' | 'colour'>;
  private drawn: readonly string[] = [];

  constructor(io: Pick<Io, 'raw' | 'columns' | 'colour'>) {
    this.io = io;
  }

  /**
   * Draws the lines in place of the previous ones.
   *
   * @param lines fewer than the rows of the terminal, each narrower than it
   */
  show(lines: readonly string[]): void {
    const text = lines.map((line) => `\x1b[2K${printable(line, this.io.colour)}\n`).join('');
    void this.io.raw(`${this.toTop()}${text}\x1b[J`);
    this.drawn = lines;
  }

  /** Erases the lines. */
  clear(): void {
    void this.io.raw(`${this.toTop()}\x1b[J`);
    this.drawn = [];
  }

  private toTop(): string {
    const rows = this.drawn.reduce((sum, line) => sum + this.rowsOf(line), 0);
    return rows === 0 ? '\r' : `\r\x1b[${rows}A`;
  }

  /** More than one if the window became narrower. */
  private rowsOf(line: string): number {
    const { columns } = this.io;
    const width = widthOf(stripVTControlCharacters(line));
    return columns === undefined ? 1 : Math.max(1, Math.ceil(width / columns));
  }
}

export interface FrameSize {
  columns: number;
  rows: number;
  colour: boolean;
}

interface Frame<Item> {
  /** In the order of the lines. */
  items: readonly Item[];
  /** The lowest are shown first if not all fit. */
  urgency(item: Item): number;
  line(item: Item): FrameLine;
  /** Width of the widest state, so that columns keep their width. */
  stateWidth: number;
  /** Text for items that do not fit. */
  tally(items: readonly Item[]): string;
  /** The last line. */
  summary: string;
  /** Why there is no connection. */
  lost?: string | undefined;
}

export interface FrameLine {
  name: string;
  state: string;
  style: Style | undefined;
  time: string;
  /** Cut off at the end of the line. */
  text: string;
}

const gap = '  ';
const timeWidth = '119 min'.length;

/** A line per item that fits, and a summary. Lines are narrower than the terminal and fewer than its rows. */
export function frameLines<Item>(frame: Frame<Item>, size: FrameSize): string[] {
  const { items, summary, lost, tally } = frame;
  const noConnection = lost === undefined ? '' : `no connection (${lost}), retrying; `;
  const last = cutOff(plain(noConnection + summary), size.columns - 1);
  const rows = Math.max(1, size.rows - 1);
  const columns = size.columns - 1;
  // Reserves a line for the summary, and one for items that do not fit.
  const shown = items.length <= rows - 1 ? items : mostUrgent(frame, Math.max(0, rows - 2));
  const left = items.filter((each) => !shown.includes(each));
  const rest = cutOff(`… and ${tally(left)}`, columns);
  return [
    ...linesOf(frame, shown, { ...size, columns }),
    ...(left.length > 0 ? [styled(rest, 'dim', size.colour)] : []),
    styled(last, lost === undefined ? 'bold' : 'yellow', size.colour),
  ].slice(-rows);
}

/** In their order, so that lines rarely move. */
function mostUrgent<Item>({ items, urgency }: Frame<Item>, most: number): Item[] {
  const chosen = new Set(items.toSorted((a, b) => urgency(a) - urgency(b)).slice(0, most));
  return items.filter((each) => chosen.has(each));
}

function linesOf<Item>(
  { line, stateWidth }: Frame<Item>,
  shown: readonly Item[],
  { columns, colour }: FrameSize,
): string[] {
  const lines = shown.map(line);
  const least = stateWidth + timeWidth + 2 * gap.length;
  const widest = Math.max(0, ...lines.map(({ name }) => widthOf(plain(name))));
  const nameWidth = Math.max(1, Math.min(widest, Math.floor(columns * 0.45), columns - least));
  const textWidth = columns - nameWidth - least - gap.length;
  return lines.map(({ name: whole, state, style, time, text }) => {
    const name = shorten(plain(whole), nameWidth);
    const parts = [
      name.padEnd(nameWidth + name.length - widthOf(name)),
      styled(state, style, colour) + ' '.repeat(Math.max(0, stateWidth - state.length)),
      time.padStart(timeWidth),
      textWidth < 12 ? '' : cutOff(plain(text), textWidth),
    ];
    return parts.join(gap).trimEnd();
  });
}
