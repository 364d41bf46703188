/** Remembers what is worked out from a whole rack.yaml, which is read again whenever it changes, and asked much more often. */
import type { Rack } from './rack.ts';

/** The same function, which works out its result once for each Rack. A Rack never changes: an edit of rack.yaml makes another one. */
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
