import type { CycleMode } from '@skolo/api';
import { Option } from 'commander';
import type { SkoloCommand } from '../../command.ts';
import { namesOf } from '../../names.ts';
import { reasonFor } from '../../reason.ts';
import type { SubmitOptions } from './submit.ts';
import { ignoreLimitsHelp, offSecondsOption, submit, targetsHelp } from './submit.ts';

const modes = ['auto', 'soft', 'hard'] as const satisfies readonly CycleMode[];

interface Options extends SubmitOptions {
  reason: string;
  offSeconds?: number;
  mode: CycleMode;
  alongside?: true;
  force?: true;
  ignoreLimits?: true;
}

/** `skolo power cycle`: turns a machine off and on, and verifies each step. */
export function define(command: SkoloCommand): void {
  command
    .description(
      'Power-cycles machines, phones, equipment or single outlets: turns them off and on, verifies both, and waits until machines are back. If any target is rejected, nothing is cycled. If a target is already being cycled, the command follows the existing cycle. Without --wait, it waits up to 2 s for cycles that cannot start, for example because of a running task or job. With --wait, it also prints each machine that returns after a switch or PDU was cycled. Exit codes: 0 all succeeded, 3 some failed, 1 all failed.',
    )
    .summary('turn off and on again')
    .argument('<names...>', targetsHelp)
    .addOption(
      reasonFor(
        'cycle',
        'reason to record in the audit log, where other operators can read it along with your name',
      ),
    )
    .option('--wait', 'wait until all targets are back or have failed, and show each step')
    .addOption(offSecondsOption())
    .addOption(
      new Option(
        '--mode <mode>',
        'soft: the machine reboots itself; hard: its power is cut; auto: soft if possible, otherwise hard',
      )
        .choices(modes)
        .default('auto'),
    )
    .option('--alongside', 'proceed although another person is on it, working on its incident')
    .option(
      '--force',
      'proceed even if this ends a running task or job, or if other machines lose power or network. On a failing controller, this allows one more machine every 10 minutes',
    )
    .option('--ignore-limits', ignoreLimitsHelp)
    .option('--skip-rejected', 'continue without rejected targets')
    .option('--json', 'print JSON: the cycle IDs, or each outcome with --wait')
    .example(
      "skolo power cycle 'skia-rpi2-rack4-shelf1-[001-010]' --reason 'silent since 2:00' --wait",
    );

  command.action(async (words: string[], options: Options) => {
    const { reason, offSeconds, mode, alongside, force, ignoreLimits, skipRejected } = options;
    const names = namesOf(words);
    const machines = names.names;
    const how = { mode, alongside, force, ignoreLimits, skipRejected };
    const body = { machines, reason, offSeconds, ...how };
    await submit({
      command,
      names,
      options,
      doing: 'cycling',
      send: (client, headers) => client.requestCycles({ headers, body }),
    });
  });
}
