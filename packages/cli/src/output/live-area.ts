/**
 * Lines at the bottom of a terminal that are drawn over. Only control functions that every terminal since the VT100
 * knows (ECMA-48): cursor up, erase in line, erase in page. The cursor stays visible and at the beginning of the line
 * below, so that whatever ends the process leaves the terminal as it should be.
 */
import { stripVTControlCharacters } from 'node:util';
import type { Io } from '../io.ts';
import { cutOff, plain, type Style, shorten, styled, widthOf } from './text.ts';

export class LiveArea {
  private readonly io: Pick<Io, 'draw' | 'columns'>;
  private shown: readonly string[] = [];

  constructor(io: Pick<Io, 'draw' | 'columns'>) {
    this.io = io;
  }

  /**
   * Draws the lines in place of those before.
   *
   * @param lines fewer than the terminal has, each narrower than it: a terminal is of two minds about its last column
   */
  show(lines: readonly string[]): void {
    const drawn = lines.map((line) => `\x1b[2K${line}\n`).join('');
    this.io.draw(`${this.toTop()}${drawn}\x1b[J`);
    this.shown = lines;
  }

  /** Takes the lines away. What is printed then stands where they were. */
  clear(): void {
    this.io.draw(`${this.toTop()}\x1b[J`);
    this.shown = [];
  }

  private toTop(): string {
    const rows = this.shown.reduce((sum, line) => sum + this.rowsOf(line), 0);
    return rows === 0 ? '\r' : `\r\x1b[${rows}A`;
  }

  /** More than one where the window was made narrower meanwhile. */
  private rowsOf(line: string): number {
    const { columns } = this.io;
    const width = widthOf(stripVTControlCharacters(line));
    return columns === undefined ? 1 : Math.max(1, Math.ceil(width / columns));
  }
}

/** A picture that is drawn over while something goes on. */
interface LivePicture {
  /** Something is different. */
  changed(): void;
  /** Nothing is drawn any more. `keep`: the last picture stays, since nothing better follows. */
  end(keep: boolean): void;
}

/** How often a picture is drawn: seldom enough for a line over ssh, and for a second to be seen to pass. */
const framesMs = { least: 100, most: 1000 };

/** Draws the lines again when something has changed, and each second. */
export function livePicture(
  io: Pick<Io, 'draw' | 'columns' | 'rows' | 'colour'>,
  linesOf: (size: FrameSize) => string[],
): LivePicture {
  const area = new LiveArea(io);
  let soon: NodeJS.Timeout | undefined;
  const ticking = setInterval(draw, framesMs.most);
  function draw() {
    clearTimeout(soon);
    soon = undefined;
    const { columns = 80, rows = 24, colour } = io;
    area.show(linesOf({ columns, rows, colour }));
  }
  draw();
  return {
    changed() {
      soon ??= setTimeout(draw, framesMs.least);
    },
    end(keep) {
      clearInterval(ticking);
      clearTimeout(soon);
      if (keep) draw();
      else area.clear();
    },
  };
}

export interface FrameSize {
  columns: number;
  rows: number;
  colour: boolean;
}

interface Frame<Item> {
  /** In the order in which they are shown. */
  items: readonly Item[];
  /** Who has to be seen where there is not room for all: the lowest first. */
  urgency(item: Item): number;
  line(item: Item): FrameLine;
  /** The widest state, so that columns stay where they are. */
  stateWidth: number;
  /** What is said of those that there is no room for. */
  tally(items: readonly Item[]): string;
  /** The last line. */
  summary: { text: string; style: Style };
}

interface FrameLine {
  name: string;
  state: string;
  style: Style | undefined;
  time: string;
  /** Shown as far as there is room. */
  text: string;
}

const gap = '  ';
const timeWidth = '119 min'.length;

/** A line for each, as far as there is room, and a summary. Each is narrower than the terminal, all are fewer than its rows. */
export function frameLines<Item>(frame: Frame<Item>, size: FrameSize): string[] {
  const { items, summary, tally } = frame;
  const room = Math.max(1, size.rows - 1);
  const columns = size.columns - 1;
  // One for the summary, and where some are left out one that says so.
  const shown = items.length <= room - 1 ? items : mostUrgent(frame, Math.max(0, room - 2));
  const left = items.filter((each) => !shown.includes(each));
  const rest = cutOff(`… and ${tally(left)}`, columns);
  return [
    ...linesOf(frame, shown, { ...size, columns }),
    ...(left.length > 0 ? [styled(rest, 'dim', size.colour)] : []),
    styled(cutOff(plain(summary.text), columns), summary.style, size.colour),
  ].slice(-room);
}

/** In their order, so that lines jump as little as possible. */
function mostUrgent<Item>({ items, urgency }: Frame<Item>, room: number): Item[] {
  const chosen = new Set(items.toSorted((a, b) => urgency(a) - urgency(b)).slice(0, room));
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
