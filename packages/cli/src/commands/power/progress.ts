/** How far cycles are: what is known of them, and in what words it is summed up. */
import type { PowerCycle } from '@skolo/api';
import { complain } from '../../errors.ts';
import type { Io } from '../../io.ts';
import { type FrameSize, frameLines, livePicture } from '../../output/live-area.ts';
import { plain, styled, widthOf } from '../../output/text.ts';
import { duration, timestamp } from '../../output/time.ts';
import {
  endWords,
  isGood,
  isOver,
  lastWords,
  outcomeWord,
  stateStyle,
  stateWord,
  stepSince,
  tookSeconds,
} from './cycle-words.ts';

export interface AskedCycle {
  id: string;
  target: string;
}

/** Who waits for cycles, and what it knows of them. */
export interface Progress {
  /** In the order in which they were asked for. */
  asked: readonly AskedCycle[];
  /** By id. One that is missing has not been heard of yet. */
  cycles: ReadonlyMap<string, PowerCycle>;
  /** The clock of the service is ahead of ours. */
  clockAheadMs: number;
  /** Why there is no connection now. */
  lost?: string | undefined;
}

type Standing = 'good' | 'under way' | 'queued' | 'bad';

function standingOf(cycle: PowerCycle | undefined): Standing {
  if (cycle === undefined) return 'queued';
  if (isOver(cycle)) return isGood(cycle) ? 'good' : 'bad';
  return cycle.step === 'queued' ? 'queued' : 'under way';
}

/** `1 failed, 20 back, 4 under way, 15 queued`: what matters most is not cut off. */
export function tally(cycles: readonly (PowerCycle | undefined)[]): string {
  const order: Standing[] = ['bad', 'good', 'under way', 'queued'];
  const counts = order.flatMap((standing) => {
    const words = new Map<string, number>();
    for (const cycle of cycles.filter((each) => standingOf(each) === standing)) {
      const word = cycle?.outcome === undefined ? standing : outcomeWord(cycle.outcome);
      words.set(word, (words.get(word) ?? 0) + 1);
    }
    return [...words].map(([word, number]) => `${number} ${word}`);
  });
  return counts.join(', ');
}

/** The one line that says it all. */
export function summary(progress: Progress, now: number): string {
  const { asked, cycles, lost } = progress;
  const parts = tally(asked.map(({ id }) => cycles.get(id)));
  const noConnection = lost === undefined ? '' : `no connection (${lost}), trying again; `;
  const took = duration(secondsOfAll(progress, now));
  return `${noConnection}${asked.length} asked for, ${took}: ${parts}`;
}

/** By the clock of the service: from when the first was asked for until the last is over, or until now. */
function secondsOfAll({ asked, cycles, clockAheadMs }: Progress, now: number): number {
  const known = [...cycles.values()];
  const begin = Math.min(...known.map(({ requestedAt }) => Date.parse(requestedAt)));
  const ends = known.flatMap(({ finishedAt }) => finishedAt ?? []).map((time) => Date.parse(time));
  const end = ends.length < asked.length ? now + clockAheadMs : Math.max(...ends);
  return known.length === 0 ? 0 : (end - begin) / 1000;
}

const urgency: Standing[] = ['bad', 'under way', 'queued', 'good'];

export function progressFrame(progress: Progress, size: FrameSize, now: number): string[] {
  const { asked, cycles, clockAheadMs, lost } = progress;
  return frameLines(
    {
      items: asked,
      urgency: ({ id }) => urgency.indexOf(standingOf(cycles.get(id))),
      stateWidth: 'soft-reboot'.length,
      line({ id, target: name }) {
        const cycle = cycles.get(id);
        if (cycle === undefined) {
          return { name, state: 'queued', style: 'dim', time: '', text: '' };
        }
        return {
          name,
          state: stateWord(cycle),
          style: stateStyle(cycle),
          time: duration(secondsOf(cycle, now + clockAheadMs)),
          text: lastWords(cycle),
        };
      },
      tally: (left) => tally(left.map(({ id }) => cycles.get(id))),
      summary: {
        text: summary(progress, now),
        style: lost === undefined ? 'bold' : 'yellow',
      },
    },
    size,
  );
}

/** How long it took, or has been at its step. */
function secondsOf(cycle: PowerCycle, now: number): number {
  return (isOver(cycle) ? tookSeconds(cycle) : undefined) ?? (now - stepSince(cycle)) / 1000;
}

interface Display {
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

function liveDisplay(io: Io, progress: Progress): Display {
  const { changed, end } = livePicture(io, (size) => progressFrame(progress, size, io.now()));
  return { changed, lost: changed, end };
}

function plainDisplay(io: Io, { asked }: Progress): Display {
  const width = Math.max(0, ...asked.map(({ target }) => widthOf(target)));
  const shown = new Map<string, number>();
  let isLost = false;
  function print(at: string, cycle: PowerCycle, word: string, text: string) {
    const name = plain(cycle.target).padEnd(width);
    const state = word.padEnd('soft-reboot'.length);
    const style = isOver(cycle) && word === stateWord(cycle) ? stateStyle(cycle) : undefined;
    const line = `${timestamp(at)}  ${name}  ${styled(state, style, io.colour)}  ${plain(text)}`;
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
