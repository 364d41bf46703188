import type { SkoloCommand } from '../../command.ts';
import { ignoreLimitsHelp, type SwitchOptions, switchOutlets, targetsHelp } from './submit.ts';

/** `skolo power off`: turns outlets off until an operator turns them on. */
export function define(command: SkoloCommand): void {
  command
    .description(
      'Turns off machines, phones, devices or single outlets, and reads that back. They stay off until `skolo power on`, also when the PDU or the jumphost reboots.',
    )
    .summary('turn off, until power on')
    .argument('<names...>', targetsHelp)
    .requiredOption('--reason <text>', 'for the audit log and the next operator')
    .option('--wait', 'wait until all are off or failed, and show each step')
    .option('--force', 'even if it ends a running task or others lose power or network')
    .option('--ignore-limits', ignoreLimitsHelp)
    .option('--skip-refused', 'go on without rejected targets')
    .option('--json', 'print JSON: the ids, or with --wait each outcome')
    .example("skolo power off skia-rpi2-rack4-shelf1-007 --reason 'smells burnt'");

  command.action((words: string[], options: SwitchOptions) =>
    switchOutlets(command, 'off', words, options),
  );
}
