/**
 * Does `work` at once, and again so many seconds after each end. Work that fails is repeated, too.
 *
 * @param signal ends it, too
 * @returns what ends it; work that is under way goes on
 */
export function repeat(
  seconds: () => number,
  work: () => Promise<unknown>,
  signal?: AbortSignal,
): () => void {
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;

  function next(): void {
    if (!isStopped) timer = setTimeout(run, seconds() * 1000);
  }

  function run(): void {
    void work().then(next, next);
  }

  function stop(): void {
    isStopped = true;
    clearTimeout(timer);
  }

  run();
  signal?.addEventListener('abort', stop);
  return stop;
}
