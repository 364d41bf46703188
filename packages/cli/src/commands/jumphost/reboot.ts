import { count } from '@skolo/base';
import { whyNotActing } from '@skolo/rack';
import { waitUntil } from '@skolo/setup/engine';
import { keepCheckedReboot, rebootJumphost } from '@skolo/setup/jumphost';
import { reasonOption } from '../../arguments.ts';
import type { SkoloCommand } from '../../command.ts';
import { CliError, exitCodes } from '../../errors.ts';
import { plain } from '../../output/text.ts';
import { openJumphostHost } from '../../reach/machine-way.ts';
import { rackOn } from '../../reach/racks.ts';
import { powerCycleDaemon } from '../../reach/service-client.ts';
import { rackToReach } from '../../workstation/rack-file.ts';
import { exitCodeOf, printResult } from '../check/check.ts';
import { checkJumphost } from '../check/jumphost.ts';
import { addStepOptions, type StepOptions } from './steps/open-steps.ts';

interface Options extends StepOptions {
  reason: string;
  thenCheck?: true;
}

/** Until clocks are synchronised, sinks have accepted something and equipment has been read. */
const settleMs = 300_000;

/** `skolo jumphost reboot`: reboots the jumphost when no outlet is waiting to be turned on. */
export function define(command: SkoloCommand): void {
  addStepOptions(
    command
      .description(
        'Reboots the jumphost. The command first holds the rack, so that no power cycles can start, and waits until running cycles have finished and all outlets are on again. After the reboot, it waits until all services are ready, and then releases the hold. With --then-check, it also runs skolo check jumphost, for up to five minutes until there are no problems, and records the date, which skolo check jumphost prints from then on.',
      )
      .summary('reboot the jumphost safely')
      .rackArgument('<rack>')
      .addOption(reasonOption("the jumphost's log"))
      .option('--then-check', 'check the jumphost after the reboot, and record the date'),
  )
    .uses('rack', 'tokenFile')
    .example("skolo jumphost reboot rack4 --reason 'new kernel' --then-check");

  command.interruptible(async (signal, name: string, options: Options) => {
    const { reason, thenCheck } = options;
    const { io } = command;
    const fleetRack = await rackOn(command);
    const rack = await rackToReach(command);
    const why = whyNotActing(rack);
    if (why !== undefined) throw new CliError(`${rack.name}: ${why}`);
    const daemon = powerCycleDaemon(command);
    await daemon.open();
    const what = `reboot of the jumphost: ${reason}`;
    const { jumphost, host } = await openJumphostHost(command, fleetRack, { what, signal });
    await daemon.ask((power) =>
      rebootJumphost({
        rack,
        host,
        power,
        signal,
        fetch: jumphost.fetch,
        now: io.now,
        report: (line) => io.out(plain(line)),
      }),
    );
    if (thenCheck) await checkAfterReboot(command, signal, name, options);
  });
}

/** Prints the result of the last check, and records a reboot after which there are no problems. */
async function checkAfterReboot(
  command: SkoloCommand,
  signal: AbortSignal,
  name: string,
  options: Options,
): Promise<void> {
  const { io } = command;
  // The last look may have failed, although an earlier one did not.
  const last: { check?: Awaited<ReturnType<typeof checkJumphost>> } = {};
  const look = async () => {
    delete last.check;
    last.check = await checkJumphost(command, signal, name, options);
    const { findings } = last.check.result;
    const left = findings.filter(({ state }) => /^(differs|unchecked)$/.test(state)).length;
    return left === 0 ? undefined : `${name}: ${count(left, 'problem')} left`;
  };
  const report = (line: string) => io.err(plain(line));
  const why = await waitUntil(look, { withinMs: settleMs, pollMs: 10_000, signal, report });
  if (last.check === undefined) throw new CliError(why ?? '', exitCodes.partlyFailed);
  const { host, result } = last.check;
  printResult(io, result);
  io.exitCode = exitCodeOf(result.findings);
  if (io.exitCode === exitCodes.done) await keepCheckedReboot(host, io.now());
}
