/** `make`, which is called when its result is first asked for. All get that one. */
export function lazily<T>(make: () => T): () => T {
  let made: { result: T } | undefined;
  return () => {
    made ??= { result: make() };
    return made.result;
  };
}
