/** Applies steps to a computer until it matches its settings, and decides which steps wait for a failed one. */
import { errorText, inParallel, lazily } from '@skolo/base';
import { ComputerError } from './errors.ts';
import type { Host } from './host/host.ts';
import { withLock } from './lock.ts';
import type { Check, Step } from './step.ts';

export type StepState =
  | 'waiting'
  | 'checking'
  | 'changing'
  /** It matched before. */
  | 'ok'
  | 'changed'
  /** An operator skipped it. */
  | 'skipped'
  | 'differs'
  | 'failed';

export interface StepProgress {
  name: string;
  about: string;
  state: StepState;
  /** The differences, why it failed, or the note of the check. */
  text: string;
  /** Only in a check: `prepare` repairs at least a part of the differences. */
  isRepairable?: boolean;
  /** Only in a check that found differences. */
  check?: Check;
}

export interface PrepareOptions {
  isCheck: boolean;
  /** Called for every state change, with all steps. */
  report(steps: readonly StepProgress[]): void;
  signal: AbortSignal;
  /** Names of skipped steps. Their dependents still run. */
  skip?: readonly string[];
  /** Who makes the changes, for others who try meanwhile. */
  by?: string;
}

/**
 * Checks each step, applies differences, and checks again. Dependents of a failed step wait for the next run. Nothing is
 * stored: each run reads the host's state, so it may be repeated at any time. Two runs never change a host at the same time.
 *
 * @returns the steps, in order
 * @throws ComputerError Somebody else is changing it.
 */
export async function prepare(
  host: Host,
  steps: readonly Step[],
  options: PrepareOptions,
): Promise<StepProgress[]> {
  const { isCheck, signal, by = 'another workstation' } = options;
  const all = () => throughSteps(host, steps, options);
  return isCheck ? await all() : await withLock(host, { by, signal }, all);
}

async function throughSteps(
  host: Host,
  steps: readonly Step[],
  { isCheck, report, signal, skip = [] }: PrepareOptions,
): Promise<StepProgress[]> {
  const all = steps.map(
    ({ name, about }): StepProgress => ({ name, about, state: 'waiting', text: '' }),
  );
  const show = (
    at: number,
    state: StepState,
    text = '',
    { isRepairable, check }: Pick<StepProgress, 'isRepairable' | 'check'> = {},
  ) => {
    const more = { ...(isRepairable && { isRepairable }), ...(check && { check }) };
    all[at] = { ...(all[at] as StepProgress), state, text, ...more };
    report([...all]);
  };
  const asked = steps.filter(({ name }) => isCheck && !skip.includes(name));
  for (const [at, step] of steps.entries()) if (asked.includes(step)) show(at, 'checking');
  const why = lazily(() => whyLost(host));
  const checked = await checkAll(host, asked, why);
  for (const [at, step] of steps.entries()) {
    signal.throwIfAborted();
    const unmet = unmetBy(steps, all, at).join(', ');
    if (skip.includes(step.name)) {
      show(at, 'skipped');
      continue;
    }
    // A check may find more, because existing parts do not depend on missing ones.
    if (!isCheck && unmet !== '') {
      show(at, 'waiting', `waits for ${unmet}`);
      continue;
    }
    if (isCheck && !checked.has(step)) {
      show(at, 'waiting', 'not checked, because the connection failed');
      continue;
    }
    if (!isCheck) show(at, 'checking');
    try {
      const before = await (checked.get(step) ?? step.check(host));
      const isRepairable = before.differs.length > 0 && step.apply !== undefined;
      if (textOf(before) === '' && !isCheck) await step.renew?.(host);
      if (textOf(before) === '') show(at, 'ok', before.note);
      else if (isCheck) show(at, 'differs', textOf(before), { isRepairable, check: before });
      else if (!isRepairable) throw new ComputerError(textOf(before));
      else {
        const { waitsFor } = step;
        show(at, 'changing', `${textOf(before)}${waitsFor ? `; waits for ${waitsFor}` : ''}`);
        await step.apply?.(host);
        await step.renew?.(host);
        show(at, 'changed', await checkAgain(host, step));
      }
    } catch (error) {
      signal.throwIfAborted();
      const isLost = isLostIn(error);
      const isConnected = !isLost || (await why()) !== '';
      const waited = isLost && step.waitsFor ? ` (while waiting for ${step.waitsFor})` : '';
      if (isCheck && isConnected && step.needs !== undefined && unmet !== '') {
        show(at, 'waiting', `waits for ${unmet}`);
      } else
        show(at, 'failed', `${errorText(error)}${waited}${isLost ? await why() : ''}`, {
          isRepairable: isCheck && step.apply !== undefined,
        });
      if (isLost && !isCheck) break;
    }
  }
  return all;
}

/** Before sshd's settings are ours, it accepts ten sessions at the same time, and a check may use several. */
const mostChecks = 4;

/**
 * Checks them side by side, and after them a step that sees what the others do meanwhile. When not even a short command responds, it checks
 * no more.
 *
 * @returns of each step that it has checked
 */
async function checkAll(
  host: Host,
  steps: readonly Step[],
  whyLost: () => Promise<string>,
): Promise<Map<Step, Promise<Check>>> {
  const found = new Map<Step, Promise<Check>>();
  let isConnected = true;
  const check = async (step: Step) => {
    if (!isConnected) return;
    const checking = (async () => await step.check(host))();
    found.set(step, checking);
    await checking.catch(async (error: unknown) => {
      if (isLostIn(error) && (await whyLost()) === '') isConnected = false;
    });
  };
  await inParallel(
    steps.filter(({ isAlone }) => !isAlone),
    mostChecks,
    check,
  );
  for (const step of steps) if (step.isAlone) await check(step);
  return found;
}

function isLostIn(error: unknown): boolean {
  return error instanceof ComputerError && error.code === 'LOST';
}

/** Large packets may be lost although short commands still respond. @returns empty: not even a short command responds */
async function whyLost(host: Host): Promise<string> {
  const command = 'cd /sys/class/net && grep -H . */mtu | grep -v ^lo/';
  const { stdout } = await host.run(command, { deadlineMs: 10_000 }).catch(() => ({ stdout: '' }));
  if (stdout === '') return '';
  const all = stdout.trim().replaceAll('/mtu:', ' ').replaceAll('\n', ', ');
  return `; a short command responds, so large packets are lost, the computer is overloaded, or a program hangs; compare the MTU of its interfaces (${all}) with those on the way`;
}

/** Names of the earlier steps that it depends on and that are not done. */
function unmetBy(steps: readonly Step[], all: readonly StepProgress[], at: number): string[] {
  const needs = steps[at]?.needs;
  return all.slice(0, at).flatMap(({ name, state }, index) => {
    const isNeeded = needs === undefined || steps[index]?.needs === undefined;
    return !isDone(state) && (isNeeded || needs.includes(name)) ? [name] : [];
  });
}

async function checkAgain(host: Host, step: Step): Promise<string> {
  const after = await step.check(host);
  if (textOf(after) === '') return after.note ?? '';
  const how = after.differs.length > 0 ? 'still incorrect after the change: ' : '';
  throw new ComputerError(`${how}${textOf(after)}`);
}

function textOf({ differs, byHand = [] }: Check): string {
  return [...differs, ...byHand].join('; ');
}

function isDone(state: StepState): boolean {
  return state === 'ok' || state === 'changed' || state === 'skipped';
}

export function isPrepared(steps: readonly StepProgress[]): boolean {
  return steps.every(({ state }) => isDone(state));
}
