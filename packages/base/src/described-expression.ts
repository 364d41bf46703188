/**
 * Regular expressions of rack.yaml. Some take quadratic or exponential time for a text that matches almost, which equipment may send, so
 * both the text and the time are limited. In doubt, a `DescribedExpression` matches nothing, and the reading fails. Where "no match" is an
 * answer, such as "this line is not volatile", `timely` throws instead. Work that uses several expressions also has a limit for their sum.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { type Context, createContext, Script } from 'node:vm';
import { isObject } from './json/parse-json.ts';
import { NamedError } from './named-error.ts';
import { threadCpuMs } from './time/cpu-time.ts';

/** Longer texts match no expression, except in work that has a limit of time. */
const longestText = 64 * 1024;
/** Milliseconds of CPU time, and for one attempt by the clock: two expressions test an answer, and two readings are compared. */
const mostMs = 15;

export class DescribedExpression extends RegExp {
  override exec(text: string): RegExpExecArray | null {
    if (!isTimed)
      return text.length > longestText ? null : (withinTime(() => this.exec(text)) ?? null);
    latest = this.source;
    return super.exec(text);
  }
}

/** An expression takes more CPU time than the work that uses it may take, so nobody knows whether it matches. */
export class SlowExpression extends NamedError {
  /** @param source of the one that ran when the time was over, or last; undefined: none did */
  constructor(source: string | undefined) {
    super(
      source === undefined
        ? 'the work takes too long, although no regular expression of rack.yaml was tested'
        : `the regular expression /${source}/ takes too long; write one that can match a text in only one way`,
    );
  }
}

/** Milliseconds of CPU time that expressions share. */
interface SharedTime {
  leftMs: number;
  /** Source of the last expression that ran in it. */
  latest?: string | undefined;
}

/** Source of the last expression that ran in this work. */
let latest: string | undefined;
const sharedTime = new AsyncLocalStorage<SharedTime>();

/** Returns the result of work whose expressions share this time, even in later turns of the event loop. @throws SlowExpression */
export function sharingTime<T>(time: SharedTime, work: () => T): T {
  return sharedTime.run(time, work);
}

/** Whether nothing is left of the time that the caller's work shares. */
export function isTimeOver(): boolean {
  const { leftMs = 1 } = sharedTime.getStore() ?? {};
  return leftMs <= 0;
}

let context: Context | undefined;
const call = new Script('work()');
let isTimed = false;

/**
 * The result; undefined: it takes too long. Work in such work has no limit of its own, because each costs 0.1 ms.
 *
 * @param work may be interrupted, and done again
 * @throws SlowExpression The shared time is over.
 */
export function withinTime<T>(work: () => T, ms = mostMs): T | undefined {
  if (isTimed) return work();
  context ??= createContext({});
  const shared = sharedTime.getStore();
  const limitMs = Math.min(ms, shared?.leftMs ?? ms);
  const before = threadCpuMs();
  let [usedMs, result, isDone]: [number, T | undefined, boolean] = [0, undefined, false];
  context.work = () => {
    result = work();
  };
  isTimed = true;
  latest = undefined;
  try {
    // Again if it did not get the processor in that time.
    while (!isDone && usedMs < limitMs) {
      try {
        call.runInContext(context, { timeout: Math.ceil(limitMs) });
        isDone = true;
      } catch (error) {
        // Of the other context, so it is no instance of this one's Error.
        if (!isObject(error) || error.code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
      }
      usedMs = threadCpuMs() - before;
    }
  } finally {
    isTimed = false;
    context.work = undefined;
  }
  if (shared !== undefined) {
    shared.latest = latest ?? shared.latest;
    // What an attempt took beyond its limit depends on other work on the computer.
    shared.leftMs -= Math.min(usedMs, limitMs);
    if (!isDone && shared.leftMs <= 0) throw new SlowExpression(shared.latest);
  }
  return isDone ? result : undefined;
}

/**
 * Returns the result of work that tests texts. Without an expression of rack.yaml, the work has no limit.
 *
 * @throws SlowExpression The work takes too long: names the expression of rack.yaml that it tested last
 */
export function timely<T>(expressions: readonly RegExp[], work: () => T): T {
  if (!expressions.some((expression) => expression instanceof DescribedExpression)) return work();
  const tryOnce = () => withinTime(() => ({ value: work() }));
  // A pause for the garbage collector counts as time, but does not come twice.
  const result = tryOnce() ?? tryOnce();
  if (result === undefined) throw new SlowExpression(latest);
  return result.value;
}
