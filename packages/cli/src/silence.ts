/** A signal that is aborted when nothing is heard for as long as was expected, or when the given one is. */
export interface SilenceGuard {
  signal: AbortSignal;
  /** From now on, so many milliseconds. */
  expect(ms: number): void;
  end(): void;
}

/** @param silent gives the reason to abort with */
export function guardSilence(
  signal: AbortSignal | undefined,
  silent: (ms: number) => Error,
): SilenceGuard {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  return {
    signal: AbortSignal.any([controller.signal, ...(signal ? [signal] : [])]),
    expect(ms) {
      clearTimeout(timer);
      timer = setTimeout(() => controller.abort(silent(ms)), ms);
    },
    end() {
      clearTimeout(timer);
      controller.abort();
    },
  };
}
