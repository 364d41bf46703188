/** `skolo power on` and `off`: turns outlets on and off. */
import type { SkoloCommand } from '../../command.ts';
import { namesOf } from '../../names.ts';
import { reasonFor } from '../../reason.ts';
import { ignoreLimitsHelp, type SubmitOptions, submit, targetsHelp } from './submit.ts';

/** `skolo power on`: turns on what `skolo power off` turned off. */
export function on(command: SkoloCommand): void {
  command
    .description(
      'Turns on machines, phones, equipment or single outlets, and confirms that they are on.',
    )
    .summary('turn on')
    .argument('<names...>', targetsHelp)
    .addOption(reasonFor('on', 'reason to record in the audit log, for other operators'))
    .option('--wait', 'wait until all are on or have failed, and show each step')
    .option('--skip-rejected', 'continue without rejected targets')
    .option('--json', 'print JSON: the IDs of the operations, or each outcome with --wait')
    .example("skolo power on pdu-1/4 --reason 'the new cable is in' --wait");

  command.action((words: string[], options: SwitchOptions) =>
    switchOutlets(command, 'on', words, options),
  );
}

/** `skolo power off`: turns outlets off until an operator turns them on. */
export function off(command: SkoloCommand): void {
  command
    .description(
      'Turns off machines, phones, equipment or single outlets, and verifies that they are off. They stay off until you run `skolo power on`, even if the PDU or the jumphost reboots.',
    )
    .summary('turn off until `skolo power on`')
    .argument('<names...>', targetsHelp)
    .addOption(reasonFor('off', 'reason to record in the audit log, for other operators'))
    .option('--wait', 'wait until all are off or have failed, and show each step')
    .option(
      '--force',
      'proceed even if this ends a running task, or if other machines lose power or network',
    )
    .option('--ignore-limits', ignoreLimitsHelp)
    .option('--skip-rejected', 'continue without rejected targets')
    .option('--json', 'print JSON: the IDs of the operations, or each outcome with --wait')
    .example("skolo power off skia-rpi2-rack4-shelf1-007 --reason 'smells burnt'");

  command.action((words: string[], options: SwitchOptions) =>
    switchOutlets(command, 'off', words, options),
  );
}

interface SwitchOptions extends SubmitOptions {
  reason: string;
  force?: true;
  ignoreLimits?: true;
}

function switchOutlets(
  command: SkoloCommand,
  state: 'on' | 'off',
  words: readonly string[],
  options: SwitchOptions,
): Promise<void> {
  const { reason, force, ignoreLimits, skipRejected } = options;
  const names = namesOf(words);
  const body = { targets: names.names, state, reason, force, ignoreLimits, skipRejected };
  return submit({
    command,
    names,
    options,
    doing: `turning ${state}`,
    send: (client, headers) => client.switchOutlets({ headers, body }),
  });
}
