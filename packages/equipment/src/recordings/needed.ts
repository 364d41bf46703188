/** Finds out which values of a recording skolo needs to read the same again: all others may be replaced. */

/** For a device with 48 outlets, 200 are enough. */
const mostQuestions = 400;

/**
 * Returns a part of these places which is enough, and from which nothing can be left out (QuickXplain, Junker 2004). For k of n places it
 * asks about 2 k log(n / k) times.
 *
 * @param isEnough whether the same is read if only these stay
 * @returns undefined: it would take too many questions
 */
export async function neededPlaces(
  places: Iterable<string>,
  isEnough: (kept: readonly string[]) => Promise<boolean>,
): Promise<string[] | undefined> {
  let questions = 0;
  // Places of equal form, such as the same field in each element of a list, are needed or not, mostly together.
  const byForm = Map.groupBy(places, (place) => place.replaceAll(/\d+/g, '#'));

  async function among(
    kept: readonly string[],
    isChanged: boolean,
    rest: readonly string[][],
  ): Promise<string[][]> {
    if (isChanged) {
      questions += 1;
      if (questions > mostQuestions || (await isEnough(kept))) return [];
    }
    if (rest.length <= 1) return [...rest];
    const middle = Math.ceil(rest.length / 2);
    const [first, second] = [rest.slice(0, middle), rest.slice(middle)];
    const ofSecond = await among([...kept, ...first.flat()], true, second);
    const ofFirst = await among([...kept, ...ofSecond.flat()], ofSecond.length > 0, first);
    return [...ofFirst, ...ofSecond];
  }

  const forms = await among([], true, [...byForm.values()]);
  const needed = await among(
    [],
    true,
    forms.flat().map((place) => [place]),
  );
  return questions > mostQuestions ? undefined : needed.flat();
}
