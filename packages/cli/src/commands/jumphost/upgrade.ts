import { count, errorText, inParallel } from '@skolo/base';
import type { K3sRack } from '@skolo/fleet';
import { inStages, racksAtOnce, stagesOf } from '@skolo/fleet/push';
import { isPrepared, prepare, type StepProgress } from '@skolo/setup/engine';
import { isOlder, parseK3sVersion } from '@skolo/setup/k3s';
import { InvalidArgumentError } from 'commander';
import { upTo } from '../../arguments.ts';
import type { SkoloCommand } from '../../command.ts';
import { CliError, complain, exitCodes, failPartly } from '../../errors.ts';
import { mustType } from '../../must-type.ts';
import { showProgress } from '../../output/progress.ts';
import { taskLimitOption } from '../../reach/machine-tasks.ts';
import { workstationName } from '../../reach/machine-way.ts';
import { interruptible, loadFleet, withJumphost } from '../../reach/racks.ts';
import { namedRacks, onFailureOption, soakOption } from '../push/open-push.ts';
import { bundlesOption, filesOption } from './steps/open-steps.ts';
import {
  type OpenUpgrade,
  openUpgrade,
  type UpgradeOptions,
  whatOf,
} from './steps/open-upgrade.ts';
import { printNews, printSteps, stepLines } from './steps/steps-text.ts';

interface Options extends Omit<UpgradeOptions, 'reason'> {
  reason?: string;
  check?: true;
  yes?: true;
  onFailure: 'stop' | 'continue';
}

/** A rack and its progress. */
interface Run {
  name: string;
  entry: K3sRack;
  open?: OpenUpgrade;
  steps: readonly StepProgress[];
  /** What it is doing now. */
  now: string;
  /** Machines that are not upgraded, and why. */
  left: Map<string, string>;
  /** Why it failed, or was not started. */
  problem?: string | undefined;
  /** This process does nothing more to it. */
  isOver: boolean;
  /** Called with what it is doing now. */
  report(text: string): void;
}

/** `skolo jumphost upgrade`: upgrades k3s, skolo and Debian. */
export function define(command: SkoloCommand): void {
  command
    .description(
      'Upgrades racks to a version of k3s (--k3s) or skolo (--skolo), or installs all Debian updates on the jumphost (--os). The command shows the changes, asks for confirmation, and then upgrades the racks in waves, as skolo push does. Each jumphost is rolled back automatically if the new version does not run or the rack becomes unhealthy. Machines are then upgraded between tasks, first a single machine and then several at a time. Machines that do not respond or are running a long task are skipped and listed; run the command again to upgrade them. Exit codes: 0 everything is upgraded; 1 nothing is upgraded, or --check has found differences; 3 some racks or machines are not upgraded.',
    )
    .summary('upgrade k3s, skolo or Debian')
    .argument('<racks...>', 'rack names, as listed by skolo racks')
    .option(
      '--k3s <versions>',
      'k3s version, such as v1.33.1+k3s1. Minor versions cannot be skipped; to upgrade across several, list one release of each: v1.32.5+k3s1,v1.33.1+k3s1',
      k3sReleases,
    )
    .option('--skolo <version>', 'version of the services and of the fallback')
    .option('--os', 'install all Debian updates on the jumphost, and reboot it if required')
    .option('--reason <text>', "reason to record in the jumphost's log")
    .option('--check', 'only show what would change')
    .option(
      '--machines <n>',
      'number of machines in a rack to upgrade at the same time',
      upTo(100),
      4,
    )
    .addOption(taskLimitOption())
    .addOption(soakOption())
    .addOption(onFailureOption())
    .addOption(filesOption())
    .addOption(bundlesOption())
    .option('--yes', 'do not ask for confirmation')
    .uses('clusters', 'tokenFile')
    .example("skolo jumphost upgrade rack4 --k3s v1.33.1+k3s1 --reason 'end of support'");

  command.action((names: string[], options: Options) => upgrade(command, names, options));
}

/** Otherwise a mistyped version would only be noticed at its publisher. */
function k3sReleases(text: string): string[] {
  const all = text.split(',');
  const areReleases = all.every((each) => parseK3sVersion(each) !== undefined);
  const areInOrder = all.every((each, at) => at === 0 || isOlder(all[at - 1] ?? '', each));
  if (areReleases && areInOrder) return all;
  throw new InvalidArgumentError(
    'expected one or more releases, separated by commas and oldest first, such as v1.33.1+k3s1',
  );
}

async function upgrade(command: SkoloCommand, names: string[], given: Options): Promise<void> {
  const { io } = command;
  const { check, yes, onFailure, reason } = given;
  if (!check && reason === undefined) command.error("'--reason' is missing");
  const options = { ...given, reason: reason ?? '' };
  const fleet = await loadFleet(command);
  const wanted = namedRacks(fleet, names);
  const entries = fleet.racks.filter(({ name }) => wanted.includes(name)).map(withJumphost);
  const runs = entries.map((entry): Run => {
    const { name } = entry;
    return { name, entry, steps: [], now: '', left: new Map(), isOver: false, report() {} };
  });
  await interruptible(command, async (signal) => {
    await plan(command, runs, options, signal);
    show(command, runs);
    if (check) {
      const isDone = runs.every(
        (run) => run.left.size === 0 && isPrepared(run.steps) && !run.problem,
      );
      if (!isDone) io.exitCode = exitCodes.failed;
      return;
    }
    reject(runs, onFailure);
    if (runs.some(({ steps }) => !isPrepared(steps))) {
      const what = `yes to upgrade ${runs.length === 1 ? names[0] : count(runs.length, 'rack')}`;
      if (!yes) await mustType(io, { what, wanted: 'yes', option: '--yes' }, signal);
      await change(command, runs, { stages: stagesOf(fleet), onFailure, signal });
      io.out('');
      show(command, runs);
    }
    end(command, runs, options);
  });
}

/** Finds the differences. Changes nothing. */
async function plan(
  command: SkoloCommand,
  runs: readonly Run[],
  options: UpgradeOptions,
  signal: AbortSignal,
): Promise<void> {
  await inParallel(runs, racksAtOnce, async (run) => {
    const given = {
      signal,
      report: (text: string) => run.report(text),
      left: (name: string, why: string) => void run.left.set(name, why),
    };
    try {
      run.open = await openUpgrade(command, run.entry, options, given);
      const { host, steps } = run.open;
      run.steps = await prepare(host, steps, { isCheck: true, signal, report() {} });
    } catch (error) {
      signal.throwIfAborted();
      run.problem = errorText(error);
    }
  });
}

/** @throws CliError A rack cannot be upgraded: nothing was changed. With `--on-failure continue`, others can. */
function reject(runs: readonly Run[], onFailure: Options['onFailure']): void {
  for (const run of runs) run.problem ??= whyImpossible(run);
  const faults = runs.flatMap(({ name, problem }) => (problem ? [`${name}: ${problem}`] : []));
  if (faults.length === 0 || (onFailure === 'continue' && faults.length < runs.length)) return;
  throw new CliError(`nothing was changed: ${faults.join('; ')}`);
}

/** The first step with a difference decides: later ones may fail for the same reason, for example while k3s starts. */
function whyImpossible({ steps, open }: Run): string | undefined {
  const first = steps.find(({ state }) => state !== 'ok');
  if (first === undefined) return undefined;
  const isOurs = open?.steps.find(({ name }) => name === first.name)?.apply !== undefined;
  if (first.state === 'differs' && isOurs) return undefined;
  return `${first.name}: ${first.text}`;
}

async function change(
  { io }: SkoloCommand,
  runs: readonly Run[],
  how: Pick<Parameters<typeof inStages>[1], 'stages' | 'onFailure' | 'signal'>,
): Promise<void> {
  const { signal } = how;
  const { print, changed, end } = showProgress(io, (size) => stepLines(shown(runs), '', size));
  try {
    await inStages(runs, { ...how, hasFailed }, async (run, failed) => {
      const { name, open } = run;
      if (run.problem !== undefined || open === undefined) return;
      if (failed) {
        run.problem = `not upgraded, because ${failed.name} failed`;
        return;
      }
      run.report = (text) => {
        run.now = text;
        print(`${name}: ${text}`);
        changed();
      };
      try {
        if (!isPrepared(run.steps)) await open.audit();
        run.steps = await prepare(open.host, open.steps, {
          isCheck: false,
          signal,
          by: workstationName(),
          report(all) {
            printNews(print, `${name}: `, run.steps, all);
            run.steps = all;
            run.now = '';
            changed();
          },
        });
      } catch (error) {
        signal.throwIfAborted();
        run.problem = errorText(error);
      }
      run.isOver = true;
    });
  } finally {
    end();
  }
}

function hasFailed({ problem, isOver, steps }: Run): boolean {
  return problem !== undefined || (isOver && !isPrepared(steps));
}

/** Steps of all racks. */
function shown(runs: readonly Run[]): StepProgress[] {
  return runs.flatMap(({ name, steps, now }) =>
    steps.map((step) => ({
      ...step,
      name: runs.length === 1 ? step.name : `${name} ${step.name}`,
      text: step.state === 'changing' && now !== '' ? now : step.text,
    })),
  );
}

function show({ io }: SkoloCommand, runs: readonly Run[]): void {
  const steps = shown(runs);
  if (steps.length > 0) printSteps(io, steps);
  for (const { name, problem, left } of runs) {
    if (problem !== undefined) complain(io, `${name}: ${problem}`);
    for (const [machine, why] of left) complain(io, `${name}: ${machine} skipped: ${why}`);
  }
}

function end({ io }: SkoloCommand, runs: readonly Run[], options: UpgradeOptions): void {
  const failed = runs.filter(({ problem, steps }) => problem !== undefined || !isPrepared(steps));
  if (failed.length > 0) failPartly(io, failed.length < runs.length);
  else if (runs.some(({ left }) => left.size > 0)) failPartly(io, true);
  else io.out(`${count(runs.length, 'rack')}: ${whatOf(options)}: done`);
}
