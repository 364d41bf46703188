/** Steps on many Pis: what runs now on each, and what became of it. */
import type { StepProgress } from '@skolo/jumphost';
import { failPartly } from '../../errors.ts';
import type { Io } from '../../io.ts';
import { frameLines, livePicture } from '../../output/live-area.ts';
import { printOverview, tally } from '../../output/overview.ts';
import type { Column } from '../../output/table.ts';
import { plain, type Style } from '../../output/text.ts';
import type { PiResult } from '../../pis.ts';
import { printNews } from '../jumphost/steps-text.ts';

interface Shown {
  report(name: string, steps: readonly StepProgress[]): void;
  end(): void;
}

/** A line for each Pi while they change; without a terminal, a line for each step that changes or fails. */
export function showSteps(io: Io, names: readonly string[]): Shown {
  const latest = new Map<string, readonly StepProgress[]>();
  const picture =
    io.rows === undefined
      ? undefined
      : livePicture(io, (size) => {
          const items = names.map((name) => ({ name, ...nowOf(latest.get(name)) }));
          return frameLines(
            {
              items,
              urgency: ({ state }) => ['changing', 'failed', 'checking'].indexOf(state) * -1,
              line: (item) => ({ ...item, style: styles[item.state] }),
              stateWidth: 'checking'.length,
              tally: (some) => tally(some.map(({ state }) => state)),
              summary: tally(items.map(({ state }) => state)),
            },
            size,
          );
        });
  return {
    report(name, steps) {
      if (picture === undefined) printNews(io.err, `${name}: `, latest.get(name) ?? [], steps);
      latest.set(name, steps);
      picture?.changed();
    },
    end: () => picture?.end(false),
  };
}

const styles: Record<string, Style | undefined> = {
  waiting: 'dim',
  changing: 'yellow',
  differs: 'yellow',
  changed: 'green',
  failed: 'red',
};

/** The step that runs, or the last one. */
function nowOf(steps: readonly StepProgress[] = []) {
  const at = steps.findLastIndex(({ state }) => state !== 'waiting');
  const step = steps[at];
  if (step === undefined) return { state: 'waiting', time: '', text: 'no answer yet' };
  const { name, text, about } = step;
  return {
    state: stateOf(step),
    time: `${at + 1}/${steps.length}`,
    text: `${name}: ${text || about}`,
  };
}

export interface Outcome {
  name: string;
  state: 'ok' | 'changed' | 'differs' | 'failed';
  /** Its model, memory and system, where it has said them. */
  system: string;
  /** Steps, or the one that went wrong. */
  steps: string[];
  /** What is wrong, and what to do. */
  why: string;
}

export function outcomeOf(result: PiResult<readonly StepProgress[]>): Outcome {
  const { name } = result;
  if ('error' in result) {
    return { name, state: 'failed', system: '', steps: [], why: without(name, result.error) };
  }
  const all = result.value;
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
    ...{ name, state: isFailed ? 'failed' : 'differs', system },
    steps: wrong.map((step) => step.name),
    why: wrong.map((step) => `${step.name}: ${without(name, step.text)}`).join('; '),
  };
}

/** A restart that nobody has allowed is no failure. */
function stateOf({ name, state }: StepProgress): StepProgress['state'] {
  return state === 'failed' && name === 'restart' ? 'differs' : state;
}

/** Messages begin with the name, which is there already. */
function without(name: string, text: string): string {
  return text.startsWith(`${name}: `) ? text.slice(name.length + 2) : text;
}

function isWrong({ state }: Outcome): boolean {
  return state === 'failed' || state === 'differs';
}

const columns: Column<Outcome>[] = [
  { title: 'NAME', cell: ({ name }) => name },
  { title: 'STATE', cell: ({ state }) => state, style: ({ state }) => styles[state] },
  { title: 'STEPS', cell: ({ steps }) => steps, shrinkTo: 12 },
  { title: 'SYSTEM', cell: ({ system }) => plain(system) || undefined, shrinkTo: 16, leaveOut: 1 },
];

/** Below the table is what is wrong in full. Sets the exit code. */
export function printOutcomes(io: Io, outcomes: readonly Outcome[]): void {
  const wrong = outcomes.filter(isWrong);
  printOverview(io, {
    ...{ head: [], rows: outcomes, columns, isSelection: true },
    remarks: wrong.map(({ name, why }) => ({ name, text: why })),
    verdict: ({ state }) => state,
    isFoldable: () => false,
  });
  if (wrong.length > 0) failPartly(io, wrong.length < outcomes.length);
}
