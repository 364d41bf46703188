/** Shows the progress of cycles. */
import type { PowerCycle } from '@skolo/api';
import type { Io } from '../../io.ts';
import { type FrameSize, frameLines } from '../../output/live-area.ts';
import { tally } from '../../output/overview.ts';
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
  /** By id. Lacks cycles for which no event has arrived. */
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

/** `1 failed, 20 back, 4 running, 15 queued`: most important first, because the end may be cut off. */
export function tallyOfCycles(cycles: readonly (PowerCycle | undefined)[]): string {
  const sorted = cycles.toSorted((a, b) => rankOf(a) - rankOf(b));
  return tally(
    sorted.map((cycle) => (cycle?.outcome ? outcomeText(cycle.outcome) : standingOf(cycle))),
  );
}

function rankOf(cycle: PowerCycle | undefined): number {
  return ['bad', 'good', 'running', 'queued'].indexOf(standingOf(cycle));
}

/** The last line. */
export function summary(progress: Progress, now: number): string {
  const { asked, cycles } = progress;
  const parts = tallyOfCycles(asked.map(({ id }) => cycles.get(id)));
  const took = duration(secondsOfAll(progress, now));
  return `${asked.length} requested, ${took}: ${parts}`;
}

/** By the service's clock: from the first request until the last end, or until now. */
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
      tally: (left) => tallyOfCycles(left.map(({ id }) => cycles.get(id))),
      summary: summary(progress, now),
      lost,
    },
    size,
  );
}

/** Duration of the cycle, or of its current step. */
function secondsOf(cycle: PowerCycle, now: number): number {
  return (isOver(cycle) ? tookSeconds(cycle) : undefined) ?? (now - stepSince(cycle)) / 1000;
}

/** Prints the new steps of cycles, one line each. */
export function stepPrinter(io: Io, { asked, cycles }: Progress): () => void {
  const width = Math.max(0, ...asked.map(({ target }) => widthOf(target)));
  const printed = new Map<string, number>();
  function print(at: string, cycle: PowerCycle, word: string, text: string) {
    const name = plain(cycle.target).padEnd(width);
    const state = word.padEnd('soft-reboot'.length);
    const style = isOver(cycle) && word === stateText(cycle) ? stateStyle(cycle) : undefined;
    const line = `${timestamp(at)}  ${name}  ${styled(state, style, io.colour)}  ${plain(text)}`;
    io.out(line.trimEnd());
  }
  return () => {
    for (const cycle of cycles.values()) {
      // After a reconnect the service sends everything again.
      const before = printed.get(cycle.id) ?? 0;
      for (const { at, step, text } of cycle.steps.slice(before)) print(at, cycle, step, text);
      if (isOver(cycle) && before !== Number.POSITIVE_INFINITY) {
        const at = cycle.finishedAt ?? cycle.steps.at(-1)?.at ?? cycle.requestedAt;
        const isRepeated = cycle.steps.at(-1)?.text === cycle.detail;
        print(at, cycle, stateText(cycle), endText(isRepeated ? { ...cycle, detail: '' } : cycle));
      }
      const now = isOver(cycle) ? Number.POSITIVE_INFINITY : cycle.steps.length;
      printed.set(cycle.id, Math.max(before, now));
    }
  };
}
