/** The time that off-times, limits and one rule require: the minimum that any scheduler could reach. */

export interface Load {
  /** Machines on one controller. */
  machines: number;
  offSeconds: number;
}

interface Limits {
  atOncePerController: number;
  atOnce: number;
}

/**
 * The maximum of what each controller requires and what the rack's limit requires for all, in seconds. The rule: a controller cycles one
 * machine first, and turns off others only after that machine's outlet was seen on.
 */
export function bound(loads: readonly Load[], { atOncePerController, atOnce }: Limits): number {
  const own = loads.map(
    ({ machines, offSeconds }) =>
      offSeconds * (1 + Math.ceil((machines - 1) / atOncePerController)),
  );
  // Turns left unused while controllers run their first cycle, in seconds of one turn.
  const unused = sum(
    [0, ...firstEnds(loads)].map((from, index, times) => {
      const until = times[index + 1] ?? from;
      const allowed = sum(
        loads.map(({ offSeconds }) => (offSeconds > from ? 1 : atOncePerController)),
      );
      return (until - from) * Math.max(0, atOnce - allowed);
    }),
  );
  const all = sum(loads.map(({ machines, offSeconds }) => machines * offSeconds));
  return Math.max((all + unused) / atOnce, ...own);
}

/** When the controllers' first cycles end. */
function firstEnds(loads: readonly Load[]): number[] {
  return [...new Set(loads.map(({ offSeconds }) => offSeconds))].sort((a, b) => a - b);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
