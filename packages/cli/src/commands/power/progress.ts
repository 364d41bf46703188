/** Shows the progress of cycles. */
import type { PowerCycle } from '@skolo/api';
import { complain } from '../../errors.ts';
import type { Io } from '../../io.ts';
import { type FrameSize, frameLines, livePicture } from '../../output/live-area.ts';
import { plain, styled, widthOf } from '../../output/text.ts';
import { duration, timestamp } from '../../output/time.ts';
import {
  endText,
  isGood,
  isOver,
  latestText,
  outcomeText,
  stateStyle,
  stateText,
  stepSince,
  tookSeconds,
} from './cycle-text.ts';

export interface AskedCycle {
  id: string;
  target: string;
}

export interface Progress {
  /** In the order of the request. */
  asked: readonly AskedCycle[];
  /** By id. Lacks cycles for which no event has arrived yet. */
  cycles: ReadonlyMap<string, PowerCycle>;
  /** The clock of the service is ahead of ours. */
  clockAheadMs: number;
  /** Why there is no connection. */
  lost?: string | undefined;
}

type Standing = 'good' | 'running' | 'queued' | 'bad';

function standingOf(cycle: PowerCycle | undefined): Standing {
  if (cycle === undefined) return 'queued';
  if (isOver(cycle)) return isGood(cycle) ? 'good' : 'bad';
  return cycle.step === 'queued' ? 'queued' : 'running';
}

/** `1 failed, 20 back, 4 running, 15 queued`: the most important first, because the end may be cut off. */
export function tally(cycles: readonly (PowerCycle | undefined)[]): string {
  const order: Standing[] = ['bad', 'good', 'running', 'queued'];
  const counts = order.flatMap((standing) => {
    const words = new Map<string, number>();
    for (const cycle of cycles.filter((each) => standingOf(each) === standing)) {
      const word = cycle?.outcome === undefined ? standing : outcomeText(cycle.outcome);
      words.set(word, (words.get(word) ?? 0) + 1);
    }
    return [...words].map(([word, number]) => `${number} ${word}`);
  });
  return counts.join(', ');
}

/** The last line. */
export function summary(progress: Progress, now: number): string {
  const { asked, cycles, lost } = progress;
  const parts = tally(asked.map(({ id }) => cycles.get(id)));
  const noConnection = lost === undefined ? '' : `no connection (${lost}), retrying; `;
  const took = duration(secondsOfAll(progress, now));
  return `${noConnection}${asked.length} requested, ${took}: ${parts}`;
}

/** By the clock of the service: from the first request until the last end, or until now. */
function secondsOfAll({ asked, cycles, clockAheadMs }: Progress, now: number): number {
  const known = [...cycles.values()];
  const begin = Math.min(...known.map(({ requestedAt }) => Date.parse(requestedAt)));
  const ends = known.flatMap(({ finishedAt }) => finishedAt ?? []).map((time) => Date.parse(time));
  const end = ends.length < asked.length ? now + clockAheadMs : Math.max(...ends);
  return known.length === 0 ? 0 : (end - begin) / 1000;
}

const urgency: Standing[] = ['bad', 'running', 'queued', 'good'];

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
          state: stateText(cycle),
          style: stateStyle(cycle),
          time: duration(secondsOf(cycle, now + clockAheadMs)),
          text: latestText(cycle),
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

/** Duration of the cycle, or of its present step. */
function secondsOf(cycle: PowerCycle, now: number): number {
  return (isOver(cycle) ? tookSeconds(cycle) : undefined) ?? (now - stepSince(cycle)) / 1000;
}

interface Display {
  /** The progress has changed. */
  changed(cycle: PowerCycle | undefined): void;
  lost(why: string): void;
  /** Stops drawing. `keep`: the last picture stays on screen. */
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
    const style = isOver(cycle) && word === stateText(cycle) ? stateStyle(cycle) : undefined;
    const line = `${timestamp(at)}  ${name}  ${styled(state, style, io.colour)}  ${plain(text)}`;
    io.out(line.trimEnd());
  }
  return {
    changed(cycle) {
      isLost = false;
      if (cycle === undefined) return;
      // After a reconnect the service sends everything again.
      const before = shown.get(cycle.id) ?? 0;
      for (const { at, step, text } of cycle.steps.slice(before)) print(at, cycle, step, text);
      if (isOver(cycle) && before !== Number.POSITIVE_INFINITY) {
        const at = cycle.finishedAt ?? cycle.steps.at(-1)?.at ?? cycle.requestedAt;
        const isRepeated = cycle.steps.at(-1)?.text === cycle.detail;
        print(at, cycle, stateText(cycle), endText(isRepeated ? { ...cycle, detail: '' } : cycle));
      }
      const now = isOver(cycle) ? Number.POSITIVE_INFINITY : cycle.steps.length;
      shown.set(cycle.id, Math.max(before, now));
    },
    lost(why) {
      if (!isLost) complain(io, `no connection (${why}); the cycles continue; reconnecting`);
      isLost = true;
    },
    end() {},
  };
}
