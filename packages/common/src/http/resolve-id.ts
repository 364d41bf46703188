import { isIdOf } from '@skolo/api/ids';
import { HttpProblem } from './response/problem.ts';

/**
 * Completes a short ID, unless it is ambiguous.
 *
 * @param noun kind of the IDs: `cycle`
 * @param list the command that lists them: `skolo power log`
 * @throws HttpProblem 404: no ID matches, or more than one does.
 */
export function resolveId(
  ids: Iterable<string>,
  written: string,
  { noun, list }: { noun: string; list: string },
): string {
  const meant = new Set<string>();
  for (const id of ids) {
    if (id === written) return id;
    if (isIdOf(id, written)) meant.add(id);
  }
  const [only] = meant;
  if (only !== undefined && meant.size === 1) return only;
  throw new HttpProblem(
    404,
    meant.size > 1
      ? `${written}: matches ${meant.size} ${noun} IDs; specify more characters`
      : `${written}: no such ${noun}; to list all ${noun}s, run ${list}`,
  );
}
