/** What a terminal shows of cycles that are waited for. A pure function, so that each size of window can be looked at. */
import type { PowerCycle } from '@skolo/api';
import { styled } from '../../output/style.ts';
import { cutOff, plain, shorten, widthOf } from '../../output/text.ts';
import { duration } from '../../output/time.ts';
import { isOver, lastWords, stateStyle, stateWord, stepSince, tookSeconds } from './cycle-words.ts';
import {
  type AskedCycle,
  type Progress,
  type Standing,
  standingOf,
  summary,
  tally,
} from './progress.ts';

export interface FrameSize {
  columns: number;
  rows: number;
  colour: boolean;
}

/** Who has to be seen first where there is not room for all. */
const urgency: Standing[] = ['bad', 'under way', 'queued', 'good'];
const gap = '  ';

/** A line for each cycle, as far as there is room, and a summary. Each is narrower than the terminal, all are fewer than its rows. */
export function progressFrame(progress: Progress, size: FrameSize, now: number): string[] {
  const { asked, cycles } = progress;
  const room = Math.max(1, size.rows - 1);
  // One for the summary, and where some are left out one that says so.
  const fits = asked.length <= room - 1;
  const shown = fits ? [...asked] : mostUrgent(progress, Math.max(0, room - 2));
  const left = asked.filter((each) => !shown.includes(each));
  const width = size.columns - 1;
  const line = lineOf(shown, progress, { ...size, columns: width }, now);
  const rest = `… and ${tally(left.map(({ id }) => cycles.get(id)))}`;
  const lines = [
    ...shown.map(line),
    ...(left.length > 0 ? [styled(cutOff(rest, width), 'dim', size.colour)] : []),
    lastLine(progress, now, { ...size, columns: width }),
  ];
  return lines.slice(-room);
}

/** In the order in which they were asked for, so that lines jump as little as possible. */
function mostUrgent({ asked, cycles }: Progress, room: number): AskedCycle[] {
  const rank = ({ id }: AskedCycle) => urgency.indexOf(standingOf(cycles.get(id)));
  const chosen = new Set(asked.toSorted((a, b) => rank(a) - rank(b)).slice(0, room));
  return asked.filter((each) => chosen.has(each));
}

/** Name, step, time in it, and where there is room the last words about it. */
function lineOf(
  shown: readonly AskedCycle[],
  { cycles, clockAheadMs }: Progress,
  { columns, colour }: FrameSize,
  now: number,
): (asked: AskedCycle) => string {
  const stateWidth = 'soft-reboot'.length;
  const timeWidth = '119 min'.length;
  const least = stateWidth + timeWidth + 2 * gap.length;
  const widest = Math.max(0, ...shown.map(({ target }) => widthOf(plain(target))));
  const nameWidth = Math.max(1, Math.min(widest, Math.floor(columns * 0.45), columns - least));
  const textWidth = columns - nameWidth - least - gap.length;
  return ({ id, target }) => {
    const cycle = cycles.get(id);
    const name = shorten(plain(target), nameWidth);
    const state = cycle === undefined ? 'queued' : stateWord(cycle);
    const time = cycle === undefined ? '' : duration(secondsOf(cycle, now + clockAheadMs));
    const text = cycle === undefined || textWidth < 12 ? '' : plain(lastWords(cycle));
    const style = cycle === undefined ? 'dim' : stateStyle(cycle);
    const columnsOfLine = [
      name.padEnd(nameWidth + name.length - widthOf(name)),
      styled(state, style, colour) + ' '.repeat(Math.max(0, stateWidth - state.length)),
      time.padStart(timeWidth),
      cutOff(text, Math.max(0, textWidth)),
    ];
    return columnsOfLine.join(gap).trimEnd();
  };
}

/** How long it took, or has been at its step. */
function secondsOf(cycle: PowerCycle, now: number): number {
  return (isOver(cycle) ? tookSeconds(cycle) : undefined) ?? (now - stepSince(cycle)) / 1000;
}

function lastLine(progress: Progress, now: number, { columns, colour }: FrameSize): string {
  const text = cutOff(plain(summary(progress, now)), columns);
  return styled(text, progress.lost === undefined ? 'bold' : 'yellow', colour);
}
