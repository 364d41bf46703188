/** Finds out which values of a recording skolo needs to read the same again: all others may be replaced. */

/**
 * Returns a part of these places which is enough, and from which nothing can be left out (QuickXplain, Junker 2004). For k of n places it
 * asks about 2 k log(n / k) times.
 *
 * @param isEnough whether the same is read if only these stay
 */
export async function neededPlaces(
  places: readonly string[],
  isEnough: (kept: readonly string[]) => Promise<boolean>,
): Promise<string[]> {
  async function among(
    kept: readonly string[],
    isChanged: boolean,
    rest: readonly string[],
  ): Promise<string[]> {
    if (isChanged && (await isEnough(kept))) return [];
    if (rest.length === 1) return [...rest];
    const middle = Math.ceil(rest.length / 2);
    const [first, second] = [rest.slice(0, middle), rest.slice(middle)];
    const ofSecond = await among([...kept, ...first], true, second);
    const ofFirst = await among([...kept, ...ofSecond], ofSecond.length > 0, first);
    return [...ofFirst, ...ofSecond];
  }

  return places.length === 0 ? [] : await among([], true, places);
}
