/** Finds what machines that did not return share, and the others do not, such as a model, version, shelf or PDU. Pure. */

/** How much more often those that did not return have it. */
const leastRatio = 3;
const most = 5;

/** @param away traits of each machine that did not return @param back of each that did */
export function differences(
  away: readonly (readonly string[])[],
  back: readonly (readonly string[])[],
): string[] {
  if (back.length === 0) return [];
  const count = (all: typeof away, trait: string) =>
    all.filter((own) => own.includes(trait)).length;
  return [...new Set(away.flat())]
    .map((trait) => ({ trait, left: count(away, trait), returned: count(back, trait) }))
    .filter(
      ({ left, returned }) =>
        left * 2 >= away.length && left * back.length >= leastRatio * returned * away.length,
    )
    .toSorted((a, b) => b.left - a.left || a.returned - b.returned || (a.trait < b.trait ? -1 : 1))
    .slice(0, most)
    .map(
      ({ trait, left, returned }) =>
        `${trait}: ${left} of ${away.length} that did not return, ${returned} of ${back.length} that did`,
    );
}
