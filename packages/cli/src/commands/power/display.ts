/** Where progress is shown: drawn over in a terminal, a line for each step elsewhere, or not at all. */
import type { PowerCycle } from '@skolo/api';
import { complain } from '../../errors.ts';
import type { Io } from '../../io.ts';
import { LiveArea } from '../../output/live-area.ts';
import { styled } from '../../output/style.ts';
import { plain, widthOf } from '../../output/text.ts';
import { timestamp } from '../../output/time.ts';
import { endWords, isOver, stateStyle, stateWord } from './cycle-words.ts';
import type { Progress } from './progress.ts';
import { progressFrame } from './progress-frame.ts';

export interface Display {
  /** Something of the progress is different. */
  changed(cycle: PowerCycle | undefined): void;
  lost(why: string): void;
  /** Nothing is shown any more, and timers have ended. `keep`: the last picture stays, since nothing better follows. */
  end(keep: boolean): void;
}

export function displayOf(io: Io, progress: Progress, json: boolean): Display {
  if (json) return { changed() {}, lost() {}, end() {} };
  const isTerminal = io.rows !== undefined && io.columns !== undefined;
  return isTerminal ? liveDisplay(io, progress) : plainDisplay(io, progress);
}

/** How often a picture is drawn: seldom enough for a line over ssh, and for a second to be seen to pass. */
const framesMs = { least: 100, most: 1000 };

function liveDisplay(io: Io, progress: Progress): Display {
  const area = new LiveArea(io);
  let soon: NodeJS.Timeout | undefined;
  const ticking = setInterval(draw, framesMs.most);
  function draw() {
    clearTimeout(soon);
    soon = undefined;
    const { columns = 80, rows = 24, colour } = io;
    area.show(progressFrame(progress, { columns, rows, colour }, io.now()));
  }
  function drawSoon() {
    soon ??= setTimeout(draw, framesMs.least);
  }
  draw();
  return {
    changed: drawSoon,
    lost: drawSoon,
    end(keep) {
      clearInterval(ticking);
      clearTimeout(soon);
      if (keep) draw();
      else area.clear();
      clearTimeout(soon);
    },
  };
}

function plainDisplay(io: Io, { asked }: Progress): Display {
  const width = Math.max(0, ...asked.map(({ target }) => widthOf(target)));
  const shown = new Map<string, number>();
  let isLost = false;
  function print(at: string, cycle: PowerCycle, word: string, text: string) {
    const name = plain(cycle.target).padEnd(width);
    const state = word.padEnd('soft-reboot'.length);
    const style = isOver(cycle) && word === stateWord(cycle) ? stateStyle(cycle) : undefined;
    const line = `${timestamp(new Date(at))}  ${name}  ${styled(state, style, io.colour)}  ${plain(text)}`;
    io.out(line.trimEnd());
  }
  return {
    changed(cycle) {
      isLost = false;
      if (cycle === undefined) return;
      // After a reconnect all is sent anew.
      const before = shown.get(cycle.id) ?? 0;
      for (const { at, step, text } of cycle.steps.slice(before)) print(at, cycle, step, text);
      if (isOver(cycle) && before !== Number.POSITIVE_INFINITY) {
        const at = cycle.finishedAt ?? cycle.steps.at(-1)?.at ?? cycle.requestedAt;
        const isSaid = cycle.steps.at(-1)?.text === cycle.detail;
        print(at, cycle, stateWord(cycle), endWords(isSaid ? { ...cycle, detail: '' } : cycle));
      }
      const now = isOver(cycle) ? Number.POSITIVE_INFINITY : cycle.steps.length;
      shown.set(cycle.id, Math.max(before, now));
    },
    lost(why) {
      if (!isLost) complain(io, `no connection (${why}); the cycles go on, connecting again`);
      isLost = true;
    },
    end() {},
  };
}
