/** Runs steps, and shows their progress. */
import {
  type Host,
  type PrepareOptions,
  prepare,
  type Step,
  type StepProgress,
} from '@skolo/setup/engine';
import type { Io } from '../../../io.ts';
import { linesOnly, showProgress } from '../../../output/progress.ts';
import { plain } from '../../../output/text.ts';
import { workstationName } from '../../../reach/machine-way.ts';
import { printNews, stepLines } from './steps-text.ts';

/** Without a terminal, a step that takes longer than this prints what it is waiting for. */
const silentMs = 15_000;

export function stepRunner(io: Io) {
  let now = '';
  let began = 0;
  const print = (text: string) => io.out(plain(text));
  let progress = linesOnly(print);
  return {
    /** What the current step is doing. */
    report(text: string) {
      if (text !== now) progress.print(`  ${text}`);
      now = text;
      progress.changed();
    },
    async run(
      host: Host,
      steps: readonly Step[],
      given: Pick<PrepareOptions, 'isCheck' | 'signal' | 'skip'>,
    ): Promise<StepProgress[]> {
      let latest: readonly StepProgress[] = [];
      const seconds = () => Math.round((performance.now() - began) / 1000);
      progress = showProgress(io, (size) => stepLines(latest, now, size, seconds()), print);
      const reminder = setInterval(() => {
        const at = latest.findLast(({ state }) => state === 'checking' || state === 'changing');
        if (at === undefined) return;
        progress.print(`${at.name}: ${at.state} for ${seconds()} s: ${now || at.text || at.about}`);
      }, silentMs);
      try {
        return await prepare(host, steps, {
          ...given,
          by: workstationName(),
          report(all) {
            printNews(progress.print, '', latest, all);
            latest = all;
            now = '';
            began = performance.now();
            progress.changed();
          },
        });
      } finally {
        clearInterval(reminder);
        progress.end();
        progress = linesOnly(print);
      }
    },
  };
}
