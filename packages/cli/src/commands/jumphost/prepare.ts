import { isPrepared } from '@skolo/jumphost';
import { timeOption } from '../../arguments.ts';
import type { SkoloCommand } from '../../command.ts';
import { exitCodes } from '../../errors.ts';
import { interruptible } from '../../fleet.ts';
import { count } from '../../output/text.ts';
import { addStepOptions, openSteps, type PrepareOptions } from './open-steps.ts';
import { stepRunner } from './run-steps.ts';
import { printSteps } from './steps-text.ts';

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
      const runner = stepRunner(io);
      const { report } = runner;
      const { host, steps } = await openSteps(command, rack, options, { signal, report });
      return await runner.run(host, steps, { signal, isCheck: options.check ?? false });
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
