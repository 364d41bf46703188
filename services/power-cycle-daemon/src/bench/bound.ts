/** What off-times and limits alone would take: nobody can be faster without breaking them. */

export interface Load {
  /** Machines on one controller. */
  machines: number;
  offSeconds: number;
}

export interface Limits {
  atOncePerController: number;
  atOnce: number;
}

/** The longest of what each controller needs, and what the rack's limit needs for all, in seconds. */
export function bound(loads: readonly Load[], { atOncePerController, atOnce }: Limits): number {
  const own = loads.map(
    ({ machines, offSeconds }) => Math.ceil(machines / atOncePerController) * offSeconds,
  );
  const all =
    loads.reduce((sum, { machines, offSeconds }) => sum + machines * offSeconds, 0) / atOnce;
  return Math.max(all, ...own);
}
