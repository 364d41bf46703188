import type { CycleMode } from '@skolo/api';
import { Option } from 'commander';
import type { SkoloCommand } from '../../command.ts';
import type { Io } from '../../io.ts';
import { namesOf } from '../../names.ts';
import type { SubmitOptions } from './submit.ts';
import { ignoreLimitsHelp, offSeconds, submit, targetsHelp } from './submit.ts';

const modes = ['auto', 'soft', 'hard'] as const satisfies readonly CycleMode[];

interface Options extends SubmitOptions {
  reason: string;
  offSeconds?: number;
  mode: CycleMode;
  force?: true;
  ignoreLimits?: true;
}

/** `skolo power cycle`: a machine that does not answer comes back, or it is said why not. */
export function define(command: SkoloCommand, io: Io): void {
  command
    .description(
      'Cycles machines, phones, devices or single outlets: off, seen off, on, seen on, seen back. All is checked before anything is touched; if one of them is refused, nothing happens. One that is being cycled already is not cycled again: its cycle is followed. With --wait it ends with 0 when all went well, with 3 when some did, with 1 when none did.',
    )
    .summary('turn off and on again, and see it back')
    .argument('<names...>', targetsHelp)
    .option(
      '--reason <text>',
      'for the audit log, and whoever looks at the machine next; who asked is known from your token',
      'asked for at the command line',
    )
    .option('--wait', 'wait until all are back or have failed, and show each step')
    .addOption(
      new Option('--off-seconds <n>', 'how long the power stays off (default: by model)').argParser(
        offSeconds,
      ),
    )
    .addOption(
      new Option(
        '--mode <mode>',
        'soft: the machine reboots itself; hard: its power is cut; auto: soft where it can, else hard',
      )
        .choices(modes)
        .default('auto'),
    )
    .option(
      '--force',
      'also where a running task is cut, or others go dark with it; on a failing controller one more machine, once in 10 minutes',
    )
    .option('--ignore-limits', ignoreLimitsHelp)
    .option('--skip-refused', 'go on without those that are refused')
    .option('--json', 'print JSON: the ids, or with --wait how each cycle ended')
    .uses('rack', 'url', 'tokenFile')
    .example(
      "skolo power cycle 'skia-rpi2-rack4-shelf1-[001-010]' --reason 'offline since 2:00' --wait",
    );

  command.action(async (words: string[], options: Options) => {
    const { reason, offSeconds, mode, force = false, skipRefused = false } = options;
    const { ignoreLimits = false } = options;
    const names = await namesOf(words);
    const body = { machines: names.names, reason, mode, force, ignoreLimits, skipRefused };
    await submit({
      io,
      command,
      names,
      options,
      doing: 'cycling',
      send: (client, headers) =>
        client.requestCycles({
          headers,
          body: { ...body, ...(offSeconds !== undefined && { offSeconds }) },
        }),
    });
  });
}
