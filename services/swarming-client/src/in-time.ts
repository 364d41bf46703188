/**
 * Does something that looks at its signal, and aborts it when the time is up or when the other signal is aborted.
 *
 * @param late the reason when the time is up
 * @throws What the work throws.
 */
export async function inTime<T>(
  work: (signal: AbortSignal) => Promise<T> | T,
  { ms, late, signal }: { ms: number; late: string; signal: AbortSignal },
): Promise<T> {
  const ends = new AbortController();
  const stop = () => ends.abort(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  const timer = setTimeout(() => ends.abort(new Error(late)), ms);
  try {
    return await work(ends.signal);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  }
}
