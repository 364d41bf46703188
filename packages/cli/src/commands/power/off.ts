import type { SkoloCommand } from '../../command.ts';
import type { Io } from '../../io.ts';
import { ignoreLimitsHelp, type SwitchOptions, switchOutlets, targetsHelp } from './submit.ts';

/** `skolo power off`: a wish that stays until a person turns it on again. */
export function define(command: SkoloCommand, io: Io): void {
  command
    .description(
      'Turns the power of machines, phones, devices or single outlets off, and sees that it is off. It stays off, also when the PDU or the jumphost reboots, until somebody says `skolo power on`.',
    )
    .summary('turn off, until somebody turns it on')
    .argument('<names...>', targetsHelp)
    .requiredOption('--reason <text>', 'for the audit log, and whoever looks at it next')
    .option('--wait', 'wait until all are off or have failed, and show each step')
    .option('--force', 'also where a running task is cut, or others go dark with it')
    .option('--ignore-limits', ignoreLimitsHelp)
    .option('--skip-refused', 'go on without those that are refused')
    .option('--json', 'print JSON: the ids, or with --wait how each ended')
    .uses('rack', 'url', 'tokenFile')
    .example("skolo power off skia-rpi2-rack4-shelf1-007 --reason 'smells burnt'");

  command.action((words: string[], options: SwitchOptions) =>
    switchOutlets({ io, command, state: 'off' }, words, options),
  );
}
