import { isDone, type MemberResult } from '../set-up.ts';

/** Returns `ok`, or how it failed, for each computer. */
export function statesOf(results: readonly MemberResult[]): Record<string, string> {
  return Object.fromEntries(
    results.map((result) => {
      const { name, steps, why } = result;
      const wrong = steps.find(({ state }) => state === 'failed');
      const text = isDone(result) ? 'ok' : (why ?? `${wrong?.name}: ${wrong?.text}`);
      return [name, text];
    }),
  );
}
