import type { SkoloCommand } from '../../command.ts';
import type { Io } from '../../io.ts';
import { type SwitchOptions, switchOutlets, targetsHelp } from './submit.ts';

/** `skolo power on`: ends what `skolo power off` began. */
export function define(command: SkoloCommand, io: Io): void {
  command
    .description(
      'Turns the power of machines, phones, devices or single outlets on, and sees that it is on.',
    )
    .summary('turn on')
    .argument('<names...>', targetsHelp)
    .requiredOption('--reason <text>', 'for the audit log, and whoever looks at it next')
    .option('--wait', 'wait until all are on or have failed, and show each step')
    .option('--skip-refused', 'go on without those that are refused')
    .option('--json', 'print JSON: the ids, or with --wait how each ended')
    .uses('rack', 'url', 'tokenFile')
    .example("skolo power on pdu-1/4 --reason 'the new cable is in' --wait");

  command.action((words: string[], options: SwitchOptions) =>
    switchOutlets({ io, command, state: 'on' }, words, options),
  );
}
