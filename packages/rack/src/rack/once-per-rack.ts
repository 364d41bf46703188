/** Remembers what is worked out from a whole rack.yaml, because services need it much more often than the file changes. */
import type { Rack } from './rack.ts';

/** A function that calls `workOut` once for each Rack. A Rack never changes: an edit of rack.yaml makes another one. */
export function oncePerRack<Result extends object>(
  workOut: (rack: Rack) => Result,
): (rack: Rack) => Result {
  const known = new WeakMap<Rack, Result>();
  return (rack) => {
    const result = known.get(rack) ?? workOut(rack);
    known.set(rack, result);
    return result;
  };
}
