/** What a terminal shows of cycles that are waited for. */
import type { PowerCycle } from '@skolo/api';
import { type FrameSize, frameLines } from '../../output/frame.ts';
import { duration } from '../../output/time.ts';
import { isOver, lastWords, stateStyle, stateWord, stepSince, tookSeconds } from './cycle-words.ts';
import { type Progress, type Standing, standingOf, summary, tally } from './progress.ts';

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
