/** Separates what can be added to a rack.yaml from what would make it invalid. */
import { RackError } from '../issues/issues.ts';

interface Addable<T> {
  good: T[];
  bad: { item: T; why: string }[];
}

/**
 * Tries all items together, and only if that fails, smaller and smaller groups. Of two that exclude each other, the first is good.
 *
 * @param add throws RackError if these items cannot be added together; its lines are those of a file that is not written
 */
export function addable<T>(items: readonly T[], add: (items: readonly T[]) => void): Addable<T> {
  const good: T[] = [];
  const bad: Addable<T>['bad'] = [];
  const separate = (group: readonly T[]): void => {
    try {
      add([...good, ...group]);
      good.push(...group);
    } catch (error) {
      if (!(error instanceof RackError)) throw error;
      const [item] = group;
      if (item !== undefined && group.length === 1) {
        bad.push({ item, why: error.issues.map(({ message }) => message).join('; ') });
        return;
      }
      const half = Math.ceil(group.length / 2);
      separate(group.slice(0, half));
      separate(group.slice(half));
    }
  };
  separate(items);
  return { good, bad };
}
