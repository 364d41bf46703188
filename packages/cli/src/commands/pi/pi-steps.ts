/** Steps on many Pis: their progress and results. */

import { withoutName } from '@skolo/base';
import type { Rack } from '@skolo/rack';
import type { MemberResult } from '@skolo/setup/cluster';
import type { Host, StepProgress } from '@skolo/setup/engine';
import type { SkoloCommand } from '../../command.ts';
import { failPartly } from '../../errors.ts';
import type { Io } from '../../io.ts';
import { printOverview } from '../../output/overview.ts';
import { showProgress } from '../../output/progress.ts';
import type { Column } from '../../output/table.ts';
import { plain, type Style } from '../../output/text.ts';
import { workstationName } from '../../reach/machine-way.ts';
import { findPis, type Pis, type PiWayOptions } from '../../reach/pis.ts';
import { interruptible } from '../../reach/racks.ts';
import { printNews, stepFrame, stepStyles } from '../jumphost/steps/steps-text.ts';

interface Given {
  signal: AbortSignal;
  isCheck: boolean;
  /** Milliseconds since 1970. */
  now(): number;
  /** One of the Pis, as root. */
  open(name: string): Promise<Host>;
  /** Identifies this workstation to other users. */
  by: string;
  /** Shows what is known about one Pi. */
  report(now: Pick<MemberResult, 'name' | 'steps'>): void;
  /** Stops drawing, before anything is printed below. */
  end(): void;
}

interface OnPis extends PiWayOptions {
  check?: boolean;
  /** For the log of the jumphost given with `--on`. */
  what: string;
  rack?: Rack | undefined;
}

/** Finds Pis, shows their steps during the work, prints the results, and sets the exit code. */
export async function onPis(
  command: SkoloCommand,
  words: readonly string[],
  { check: isCheck = false, what, rack, ...way }: OnPis,
  work: (pis: Pis, given: Given) => Promise<MemberResult[]>,
): Promise<void> {
  const { io } = command;
  const results = await interruptible(command, async (signal) => {
    const logged = isCheck ? undefined : what;
    const pis = await findPis(command, words, way, { what: logged, signal, ...(rack && { rack }) });
    const shown = showSteps(io, pis.names);
    try {
      const open = (name: string) => pis.open(name, signal);
      const by = workstationName();
      return await work(pis, { ...shown, signal, isCheck, now: io.now, open, by });
    } catch (error) {
      shown.end();
      // Completed changes are permanent, so they must be reported.
      if (signal.aborted)
        printOutcomes(
          io,
          pis.names.map((name) => cutOff(name, shown.latest)),
        );
      throw error;
    } finally {
      shown.end();
    }
  });
  printOutcomes(io, results.map(outcomeOf));
}

/** A line for each Pi while they change; without a terminal, a line for each step that changes something or fails. */
function showSteps(io: Io, names: readonly string[]) {
  const latest: Latest = new Map();
  const linesOf = () => names.map((name) => ({ name, ...nowOf(latest.get(name)) }));
  const { print, changed, end } = showProgress(io, (size) => stepFrame(linesOf(), size), io.err);
  return {
    latest,
    report({ name, steps }: Pick<MemberResult, 'name' | 'steps'>) {
      printNews(print, `${name}: `, latest.get(name) ?? [], steps);
      latest.set(name, steps);
      changed();
    },
    end: () => end(),
  };
}

/** The current steps of each Pi. */
type Latest = Map<string, readonly StepProgress[]>;

const styles: Record<Outcome['state'], Style | undefined> = {
  ...stepStyles,
  interrupted: 'yellow',
};

/** The current step, or the last one. */
function nowOf(steps: readonly StepProgress[] = []) {
  const at = steps.findLastIndex(({ state }) => state !== 'waiting');
  const step = steps[at];
  if (step === undefined) {
    return { state: 'waiting', style: stepStyles.waiting, time: '', text: 'no response yet' };
  }
  const { name, text, about } = step;
  const state = stateOf(step);
  return {
    state,
    style: stepStyles[state],
    time: `${at + 1}/${steps.length}`,
    text: `${name}: ${text || about}`,
  };
}

interface Outcome {
  name: string;
  state: 'ok' | 'changed' | 'differs' | 'failed' | 'interrupted';
  /** Its model, memory and system, if reported. */
  system: string;
  /** Steps, or the one that failed. */
  steps: string[];
  /** What is wrong, and what to do. */
  why: string;
}

export function outcomeOf({ name, steps: all, why }: MemberResult): Outcome {
  if (why !== undefined) {
    return { name, state: 'failed', system: '', steps: [], why: withoutName(why, name) };
  }
  const found = all.find((step) => step.name === 'system');
  const system = found?.state === 'ok' ? found.text : '';
  const wrong = all.filter(({ state }) => state === 'failed' || state === 'differs');
  const changed = all.filter(({ state }) => state === 'changed').map((step) => step.name);
  if (wrong.length === 0) {
    const state = changed.length === 0 ? 'ok' : 'changed';
    return { name, state, system, steps: changed, why: '' };
  }
  const isFailed = wrong.some((step) => stateOf(step) === 'failed');
  return {
    name,
    state: isFailed ? 'failed' : 'differs',
    system,
    steps: wrong.map((step) => step.name),
    why: wrong.map((step) => `${step.name}: ${withoutName(step.text, name)}`).join('; '),
  };
}

/** For a Pi whose work was interrupted or not started. */
function cutOff(name: string, latest: Latest): Outcome {
  const steps = latest.get(name) ?? [];
  const now = steps.find(({ state }) => state === 'changing' || state === 'checking');
  const outcome = outcomeOf({ name, steps });
  const hasEnded = now === undefined && steps.some(({ state }) => state !== 'waiting');
  if (hasEnded || outcome.state === 'failed') return outcome;
  const where =
    now === undefined ? 'before its first step' : `at ${now.name}: ${now.text || now.about}`;
  return { ...outcome, state: 'interrupted', why: `${where}; run the command again` };
}

/** A restart that was not allowed is not a failure. */
function stateOf({ name, state }: StepProgress): StepProgress['state'] {
  return state === 'failed' && name === 'restart' ? 'differs' : state;
}

const columns: Column<Outcome>[] = [
  { title: 'NAME', cell: ({ name }) => name },
  { title: 'STATE', cell: ({ state }) => state, style: ({ state }) => styles[state] },
  { title: 'STEPS', cell: ({ steps }) => steps, shrinkTo: 12 },
  { title: 'SYSTEM', cell: ({ system }) => plain(system) || undefined, shrinkTo: 16, leaveOut: 1 },
];

/** Prints complete problems below the table. Sets the exit code. */
function printOutcomes(io: Io, outcomes: readonly Outcome[]): void {
  const wrong = outcomes.filter(({ state }) => state !== 'ok' && state !== 'changed');
  const remarks = wrong.map(({ name, why }) => ({ name, text: why }));
  printOverview(io, { rows: outcomes, columns, remarks });
  if (wrong.length > 0) failPartly(io, wrong.length < outcomes.length);
}
