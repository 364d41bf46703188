/** Runs steps, and shows their progress. */
import {
  type Host,
  type PrepareOptions,
  prepare,
  type Step,
  type StepProgress,
} from '@skolo/computers';
import type { Io } from '../../../io.ts';
import { livePicture } from '../../../output/live-area.ts';
import { plain } from '../../../output/text.ts';
import { workstationName } from '../../../reach/machine-way.ts';
import { printNews, stepLines } from './steps-text.ts';

/** Without a terminal, a step that takes longer than this prints what it is waiting for. */
const silentMs = 15_000;

export function stepRunner(io: Io) {
  let now = '';
  let began = 0;
  let picture: ReturnType<typeof livePicture> | undefined;
  return {
    /** What the current step is doing. */
    report(text: string) {
      if (picture === undefined && text !== now) io.out(plain(`  ${text}`));
      now = text;
      picture?.changed();
    },
    async run(
      host: Host,
      steps: readonly Step[],
      given: Pick<PrepareOptions, 'isCheck' | 'signal' | 'skip'>,
    ): Promise<StepProgress[]> {
      let latest: readonly StepProgress[] = [];
      const seconds = () => Math.round((performance.now() - began) / 1000);
      if (io.rows !== undefined)
        picture = livePicture(io, (size) => stepLines(latest, now, size, seconds()));
      const reminder = setInterval(() => {
        const at = latest.findLast(({ state }) => state === 'checking' || state === 'changing');
        if (picture !== undefined || at === undefined) return;
        io.out(plain(`${at.name}: ${at.state} for ${seconds()} s: ${now || at.text || at.about}`));
      }, silentMs);
      try {
        return await prepare(host, steps, {
          ...given,
          by: workstationName(),
          report(all) {
            if (picture === undefined) printNews(io.out, '', latest, all);
            latest = all;
            now = '';
            began = performance.now();
            picture?.changed();
          },
        });
      } finally {
        clearInterval(reminder);
        picture?.end(false);
        picture = undefined;
      }
    },
  };
}
