/** Runs steps, and shows them meanwhile. */
import {
  type Host,
  type PrepareOptions,
  prepare,
  type Step,
  type StepProgress,
} from '@skolo/jumphost';
import type { Io } from '../../io.ts';
import { deskName } from '../../machine-way.ts';
import { livePicture } from '../../output/live-area.ts';
import { printNews, stepLines } from './steps-text.ts';

export function stepRunner(io: Io) {
  let now = '';
  let picture: ReturnType<typeof livePicture> | undefined;
  return {
    /** What the step that runs does now. */
    report(text: string) {
      now = text;
      picture?.changed();
    },
    async run(
      host: Host,
      steps: readonly Step[],
      given: Pick<PrepareOptions, 'isCheck' | 'signal' | 'skip'>,
    ): Promise<StepProgress[]> {
      let latest: readonly StepProgress[] = [];
      if (io.rows !== undefined) picture = livePicture(io, (size) => stepLines(latest, now, size));
      try {
        return await prepare(host, steps, {
          ...given,
          by: deskName(),
          report(all) {
            if (picture === undefined) printNews(io.out, '', latest, all);
            latest = all;
            now = '';
            picture?.changed();
          },
        });
      } finally {
        picture?.end(false);
        picture = undefined;
      }
    },
  };
}
