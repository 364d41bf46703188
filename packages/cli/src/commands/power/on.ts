import type { SkoloCommand } from '../../command.ts';
import { type SwitchOptions, switchOutlets, targetsHelp } from './submit.ts';

/** `skolo power on`: turns on what `skolo power off` turned off. */
export function define(command: SkoloCommand): void {
  command
    .description('Turns on machines, phones, devices or single outlets, and reads that back.')
    .summary('turn on')
    .argument('<names...>', targetsHelp)
    .requiredOption('--reason <text>', 'for the audit log and the next operator')
    .option('--wait', 'wait until all are on or failed, and show each step')
    .option('--skip-refused', 'go on without rejected targets')
    .option('--json', 'print JSON: the ids, or with --wait each outcome')
    .example("skolo power on pdu-1/4 --reason 'the new cable is in' --wait");

  command.action((words: string[], options: SwitchOptions) =>
    switchOutlets(command, 'on', words, options),
  );
}
