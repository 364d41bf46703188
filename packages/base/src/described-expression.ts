/**
 * Regular expressions of rack.yaml. Some take quadratic or exponential time for a text that matches almost, which equipment may send, so
 * both the text and the time are limited. In doubt, nothing matches, and the reading fails.
 */
import { type Context, createContext, Script } from 'node:vm';
import { isObject } from './json/parse-json.ts';
import { threadCpuMs } from './time/cpu-time.ts';

/** Longer texts match no expression. */
const longestText = 64 * 1024;
/** Milliseconds of CPU time, and for one attempt by the clock: two expressions test an answer, and two readings are compared. */
const mostMs = 15;

export class DescribedExpression extends RegExp {
  override exec(text: string): RegExpExecArray | null {
    if (text.length > longestText) return null;
    return withinTime(() => super.exec(text)) ?? null;
  }
}

let context: Context | undefined;
const call = new Script('work()');
let isTimed = false;

/** The result; undefined: it takes too long. Work in such work has no limit of its own, because each costs 0.1 ms. */
export function withinTime<T>(work: () => T): T | undefined {
  if (isTimed) return work();
  context ??= createContext({});
  const before = threadCpuMs();
  let [usedMs, result]: [number, T | undefined] = [0, undefined];
  context.work = () => {
    result = work();
  };
  isTimed = true;
  try {
    // Again if it did not get the processor in that time.
    while (usedMs < mostMs) {
      try {
        call.runInContext(context, { timeout: mostMs });
        return result;
      } catch (error) {
        // Of the other context, so it is no instance of this one's Error.
        if (!isObject(error) || error.code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
      }
      usedMs = threadCpuMs() - before;
    }
    return undefined;
  } finally {
    isTimed = false;
    context.work = undefined;
  }
}
