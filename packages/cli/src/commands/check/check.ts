/** `skolo check WHAT`: whether rack.yaml, or what it describes, matches. All have one form of result, `--json`, and one list of exit codes. */
import { count, type Finding, type FindingState } from '@skolo/base';
import type { SkoloCommand } from '../../command.ts';
import { CliError, type ExitCode, exitCodes, messageOf } from '../../errors.ts';
import { type Io, printJson } from '../../io.ts';
import { folded } from '../../names.ts';
import { plain, type Style, styled } from '../../output/text.ts';

export interface CheckResult {
  /** What was checked: a rack, a cluster, a file. */
  name: string;
  findings: readonly Finding[];
  /** Totals of what was read: `6 machines`. */
  about?: readonly string[];
  /** For programs: more of what was read. */
  details?: object;
  /** Exit code if something differs. */
  differs?: ExitCode;
}

/** Words of a command's help. */
const codes =
  'Exit codes: 0 everything matches; 1 differences were found; 3 something could not be checked; 78 rack.yaml, or a file that it refers to, is invalid.';

/**
 * The last thing that a check defines: `--json`, its exit codes, and its action.
 *
 * @param work undefined: it has printed something else, such as a plan
 */
export function defineCheck<Args extends unknown[]>(
  command: SkoloCommand,
  work: (signal: AbortSignal, ...args: Args) => Promise<CheckResult | undefined>,
): void {
  command
    .description(`${command.description()} ${codes}`)
    .option('--json', 'print JSON')
    .interruptible(async (signal, ...args: Args) => {
      const result = await orUnchecked(signal, () => work(signal, ...args));
      if (result === undefined) return;
      const { name, findings, details, differs = exitCodes.failed } = result;
      if (command.getOptionValue('json')) {
        printJson(command.io, { check: command.name(), name, findings, ...details });
      } else printResult(command.io, result);
      command.io.exitCode = exitCodeOf(findings, differs);
      signal.throwIfAborted();
    });
}

/** A message in the house form: what happened; what to do. */
export function parted(text: string): Pick<Finding, 'found' | 'advice'> {
  const at = text.lastIndexOf('; ');
  return at === -1 ? { found: text } : { found: text.slice(0, at), advice: text.slice(at + 2) };
}

/** An incomplete check has not shown that the rest matches, so it counts more than a difference. */
export function exitCodeOf(
  findings: readonly Finding[],
  differs: ExitCode = exitCodes.failed,
): ExitCode {
  const has = (state: FindingState) => findings.some((each) => each.state === state);
  if (has('unchecked')) return exitCodes.partlyFailed;
  return has('differs') ? differs : exitCodes.done;
}

/** A check that fails has found nothing, which is not the same as a difference. */
async function orUnchecked<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    signal.throwIfAborted();
    const { message, exitCode } = messageOf(error);
    if (exitCode !== exitCodes.failed) throw error;
    throw new CliError(message, exitCodes.partlyFailed, { cause: error });
  }
}

const states: Record<FindingState, { mark: string; style: Style }> = {
  differs: { mark: '', style: 'red' },
  unchecked: { mark: 'not checked: ', style: 'red' },
  warning: { mark: 'warning: ', style: 'yellow' },
  info: { mark: 'info: ', style: 'dim' },
  skipped: { mark: 'skipped: ', style: 'dim' },
  ok: { mark: 'ok: ', style: 'green' },
};

/** Problems first. What matches is only counted, unless there is something to say about it. */
export function printResult(io: Io, { name, findings, about = [] }: CheckResult): void {
  const of = (state: FindingState) => findings.filter((each) => each.state === state);
  for (const [state, { mark, style }] of Object.entries(states)) {
    const shown = findings.filter((each) => each.state === state && each.found !== '');
    for (const { thing, where = [], found, expected, advice } of shown) {
      const subject = plain(where.length === 0 ? thing : `${thing} (${folded(where)})`);
      const parts = [found, expected && `expected ${expected}`, advice];
      const text = plain(parts.filter(Boolean).join('; '));
      io.out(`${styled(`${subject}: ${mark}`, style, io.colour)}${text}`);
    }
  }
  const [problems, unchecked, warnings] = [of('differs'), of('unchecked'), of('warning')];
  const isFine = problems.length + unchecked.length === 0;
  const totals = [
    ...about,
    styled(
      problems.length === 0 ? 'no problems' : count(problems.length, 'problem'),
      isFine ? 'green' : 'red',
      io.colour,
    ),
    ...(unchecked.length > 0 ? [`${unchecked.length} not checked`] : []),
    ...(warnings.length > 0 ? [count(warnings.length, 'warning')] : []),
    ...(of('ok').length > 0 ? [`${of('ok').length} ok`] : []),
  ];
  io.out(`${name}: ${totals.join(', ')}`);
}
