/**
 * Gives `work` a signal that ends after its time, or with the other one, whichever is first; what it then throws is
 * `late()`, or the other signal's reason. Work obeys the signal: nothing goes on behind the caller's back.
 */
export async function withinTime<T>(
  timeoutMs: number,
  late: () => Error,
  signal: AbortSignal,
  work: (limit: AbortSignal) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  // Not `AbortSignal.any`: on Node 20 a time-out that nothing else holds may be collected before it fires.
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(late()), timeoutMs);
  const abort = () => limit.abort(signal.reason);
  signal.addEventListener('abort', abort);
  try {
    return await work(limit.signal);
  } catch (error) {
    throw limit.signal.aborted ? limit.signal.reason : error;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', abort);
  }
}
