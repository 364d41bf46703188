/** What a terminal shows of many things that go on. Pure functions, so that each size of window can be looked at. */
import { type Style, styled } from './style.ts';
import { cutOff, plain, shorten, widthOf } from './text.ts';

export interface FrameSize {
  columns: number;
  rows: number;
  colour: boolean;
}

export interface Frame<Item> {
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

export interface FrameLine {
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
