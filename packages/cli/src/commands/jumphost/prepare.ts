import { isPrepared } from '@skolo/computers';
import { timeOption } from '../../arguments.ts';
import type { SkoloCommand } from '../../command.ts';
import { exitCodes, usageError } from '../../errors.ts';
import { count } from '../../output/text.ts';
import { addStepOptions, openSteps, type PrepareOptions } from './steps/open-steps.ts';
import { stepRunner } from './steps/run-steps.ts';
import { printSteps } from './steps/steps-text.ts';

interface Options extends PrepareOptions {
  check?: true;
  skip?: string[];
}

/** `skolo jumphost prepare`: a bare Debian becomes the jumphost of a rack. */
export function define(command: SkoloCommand): void {
  addStepOptions(
    command
      .description(
        'Brings the jumphost of a rack to what it has to be, step by step, over ssh, from a bare Debian 12 or 13 on. Each step looks at the jumphost itself, changes only what differs, and looks again. If a step fails, those that depend on it wait, and the others continue. You can run it again at any time. A change of the address, the firewall or sshd returns by itself, unless a new ssh session gets in. Exit codes: 0 all is as it has to be; 1 something differs or failed.',
      )
      .summary('set up the jumphost of a rack from a fresh Debian')
      .argument('<rack>', 'name in the list of racks')
      .option('--check', 'show what differs; changes nothing')
      .option('--skip <step...>', 'leave these steps out; those that depend on them are done'),
  )
    .addOption(
      timeOption('--return-after <time>', 'when a change that locks out returns by itself', '90s'),
    )
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
        'existing-system: cannot be skipped, because two power controllers would switch the same outlets',
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
