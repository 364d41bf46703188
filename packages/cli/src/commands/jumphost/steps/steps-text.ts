/** Texts for the steps of a jumphost. */
import type { StepProgress, StepState } from '@skolo/setup/engine';
import type { Io } from '../../../io.ts';
import { type FrameLine, type FrameSize, frameLines } from '../../../output/live-area.ts';
import { tally } from '../../../output/overview.ts';
import { printTable } from '../../../output/table.ts';
import { plain, type Style } from '../../../output/text.ts';

export const stepStyles: Record<StepState, Style | undefined> = {
  waiting: 'dim',
  checking: undefined,
  changing: 'yellow',
  ok: undefined,
  changed: 'green',
  skipped: 'yellow',
  differs: 'yellow',
  failed: 'red',
};

/** While steps run: one line each. */
export function stepLines(
  steps: readonly StepProgress[],
  now: string,
  size: FrameSize,
  seconds = 0,
): string[] {
  const lines = steps.map(({ name, state, text, about }) => ({
    name,
    state,
    style: stepStyles[state],
    time: /^ch.*ing$/.test(state) && seconds > 0 ? `${seconds} s` : '',
    text: state === 'changing' && now !== '' ? now : text || about,
  }));
  return stepFrame(lines, size);
}

/** Lines of steps, or of computers with their current step. */
export function stepFrame(items: readonly FrameLine[], size: FrameSize): string[] {
  const totals = (some: readonly FrameLine[]) => tally(some.map(({ state }) => state));
  return frameLines(
    {
      items,
      urgency: ({ state }) => ['changing', 'checking', 'failed'].indexOf(state) * -1,
      line: (item) => item,
      stateWidth: 'checking'.length,
      tally: totals,
      summary: totals(items),
    },
    size,
  );
}

export function printSteps(io: Io, steps: readonly StepProgress[]): void {
  printTable(
    io,
    [
      { title: 'STEP', cell: ({ name }) => name },
      { title: 'STATE', cell: ({ state }) => state, style: ({ state }) => stepStyles[state] },
      { title: 'WHAT', cell: ({ text, about }) => text || about },
    ],
    steps,
  );
}

/**
 * Without a terminal to redraw: a line for each step that starts to change something, has changed it, or failed.
 *
 * @param start prefix of each line: `rack4: `
 */
export function printNews(
  print: (text: string) => void,
  start: string,
  before: readonly StepProgress[],
  all: readonly StepProgress[],
): void {
  for (const [at, { name, state, text }] of all.entries()) {
    if (before[at]?.state === state || !/^(changing|changed|failed)$/.test(state)) continue;
    print(plain(`${start}${name}: ${state}${text === '' ? '' : `: ${text}`}`));
  }
}
