import { isPrepared, prepare, type StepProgress } from '@skolo/jumphost';
import { timeOption } from '../../arguments.ts';
import type { SkoloCommand } from '../../command.ts';
import { exitCodes } from '../../errors.ts';
import { interruptible } from '../../fleet.ts';
import { deskName } from '../../machine-way.ts';
import { livePicture } from '../../output/live-area.ts';
import { count } from '../../output/text.ts';
import { addStepOptions, openSteps, type PrepareOptions } from './open-steps.ts';
import { printNews, printSteps, stepLines } from './steps-text.ts';

interface Options extends PrepareOptions {
  check?: true;
}

/** `skolo jumphost prepare`: a bare Debian becomes the jumphost of a rack. */
export function define(command: SkoloCommand): void {
  addStepOptions(
    command
      .description(
        'Brings the jumphost of a rack to what it has to be, step by step, over ssh, from a bare Debian 12 or 13 on. Each step looks at the jumphost itself, changes only what differs, and looks again. It stops at the first step that fails, and can be run again at any time. A change of the address, the firewall or sshd returns by itself, unless a new ssh session gets in. Exit codes: 0 all is as it has to be; 1 something differs or failed.',
      )
      .argument('<rack>', 'name in the list of racks')
      .option('--check', 'show what differs; changes nothing'),
  )
    .addOption(
      timeOption('--return-after <time>', 'when a change that locks out returns by itself', '90s'),
    )
    .uses('clusters')
    .example('skolo jumphost prepare rack4 --check');

  command.action(async (rack: string, options: Options) => {
    const { io } = command;
    const steps = await interruptible(command, async (signal) => {
      let latest: readonly StepProgress[] = [];
      let now = '';
      let picture: ReturnType<typeof livePicture> | undefined;
      const report = (text: string) => {
        now = text;
        picture?.changed();
      };
      const { host, steps } = await openSteps(command, rack, options, { signal, report });
      if (io.rows !== undefined) picture = livePicture(io, (size) => stepLines(latest, now, size));
      try {
        return await prepare(host, steps, {
          signal,
          isCheck: options.check ?? false,
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
      }
    });
    printSteps(io, steps);
    const changed = steps.filter(({ state }) => state === 'changed').length;
    if (!isPrepared(steps)) io.exitCode = exitCodes.failed;
    else
      io.out(
        changed === 0 ? `${rack}: nothing to change` : `${rack}: ${count(changed, 'step')} changed`,
      );
  });
}
