import { count } from '@skolo/base';
import { isPrepared } from '@skolo/setup/engine';
import { returnAfterOption } from '../../arguments.ts';
import type { SkoloCommand } from '../../command.ts';
import { exitCodes, usageError } from '../../errors.ts';
import { addStepOptions, openSteps, type PrepareOptions } from './steps/open-steps.ts';
import { stepRunner } from './steps/run-steps.ts';
import { printSteps } from './steps/steps-text.ts';

interface Options extends PrepareOptions {
  check?: true;
  skip?: string[];
}

/** `skolo jumphost prepare`: turns a fresh Debian into a rack's jumphost. */
export function define(command: SkoloCommand): void {
  addStepOptions(
    command
      .description(
        'Sets up a jumphost over SSH, starting from a fresh Debian 12 or 13. Each step changes only what differs, and verifies the result. If a step fails, only the steps that depend on it are skipped. You can run the command again at any time. Changes to the address, the firewall or sshd are rolled back automatically unless a new SSH session succeeds. Exit codes: 0 everything is set up; 1 there are differences or failures.',
      )
      .summary('set up a jumphost, step by step')
      .argument('<rack>', 'rack name, as listed by skolo racks')
      .option('--check', 'only show the differences')
      .option('--skip <step...>', 'skip these steps, but run the steps that depend on them')
      .option(
        '--keep-change <what...>',
        'confirm changes by others: paths, or texts that the step changes prints',
      ),
  )
    .addOption(returnAfterOption())
    .uses('clusters')
    .example('skolo jumphost prepare rack4 --check');

  command.interruptible(async (signal, rack: string, options: Options) => {
    const { io } = command;
    const runner = stepRunner(io);
    const { report } = runner;
    const { host, steps } = await openSteps(command, rack, options, { signal, report });
    const { check: isCheck = false, skip = [] } = options;
    const foreign = skip.find((name) => !steps.some((step) => step.name === name));
    if (foreign !== undefined) {
      const names = steps.map(({ name }) => name);
      throw usageError(`${foreign}: no such step; the steps are ${names.join(', ')}`);
    }
    if (skip.includes('existing-system')) {
      throw usageError(
        'existing-system: this step cannot be skipped, because two power controllers would then switch the same outlets',
      );
    }
    const ended = await runner.run(host, steps, { signal, isCheck, skip });
    printSteps(io, ended);
    const skipped = ended.filter(({ state }) => state === 'skipped').length;
    const left = skipped === 0 ? '' : `; ${count(skipped, 'step')} skipped`;
    const changed = ended.filter(({ state }) => state === 'changed').length;
    if (!isPrepared(ended)) io.exitCode = exitCodes.failed;
    else
      io.out(
        changed === 0
          ? `${rack}: nothing to change${left}`
          : `${rack}: ${count(changed, 'step')} changed${left}`,
      );
  });
}
