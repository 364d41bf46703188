/** Computes a value when it is first requested, and returns the same result afterwards. */
export function lazily<T>(make: () => T): () => T {
  let made: { result: T } | undefined;
  return () => {
    made ??= { result: make() };
    return made.result;
  };
}
