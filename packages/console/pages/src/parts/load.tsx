/** Loads responses of services for a view, again after a while, and shows why one is missing. */
import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { CallFailed } from '../live/api.ts';
import { mayOperate, useLive } from '../live/store.ts';

interface Loaded<T> {
  value?: T;
  error?: Error;
  /** Asks again. */
  reload(): void;
}

/** Requests when `key` changes, and every `everyMs` while the page is visible. The previous response stays until the next one arrives. */
export function useLoaded<T>(
  ask: (signal: AbortSignal) => Promise<T>,
  key: string,
  everyMs?: number,
): Loaded<T> {
  const [state, setState] = useState<{ key: string; value?: T; error?: Error }>({ key });
  const [times, setTimes] = useState(0);
  useEffect(() => {
    const stopped = new AbortController();
    let timer: number | undefined;
    async function run() {
      try {
        const value =
          document.hidden && state.value !== undefined ? state.value : await ask(stopped.signal);
        setState({ key, value });
      } catch (error) {
        if (stopped.signal.aborted) return;
        setState((old) => ({ ...(old.key === key ? old : { key }), error: asError(error) }));
      }
      if (everyMs !== undefined && !stopped.signal.aborted) timer = window.setTimeout(run, everyMs);
    }
    void run();
    return () => {
      stopped.abort();
      clearTimeout(timer);
    };
  }, [key, times]);
  const current = state.key === key ? state : {};
  return { ...current, reload: () => setTimes((old) => old + 1) };
}

/** A button's action: why the last attempt failed, and the next attempt. */
export function useAttempt(): [Error | undefined, (work: () => Promise<unknown>) => Promise<void>] {
  const [failed, setFailed] = useState<Error>();
  async function attempt(work: () => Promise<unknown>): Promise<void> {
    setFailed(undefined);
    await work().catch((error: unknown) => setFailed(asError(error)));
  }
  return [failed, attempt];
}

export function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

/** The response, the error, or a loading state. */
export function Load<T>({
  of,
  children,
}: {
  of: Loaded<T>;
  children: (value: T) => ComponentChildren;
}) {
  return (
    <>
      {of.error && <Failure error={of.error} />}
      {of.value !== undefined
        ? children(of.value)
        : !of.error && <p class="muted loading">Loading …</p>}
    </>
  );
}

export function Failure({ error }: { error: Error }) {
  const isAbout = error instanceof CallFailed && error.status === 401;
  return (
    <p class="failure" role="alert">
      {isAbout ? 'Sign in to see this.' : error.message}
    </p>
  );
}

/** A button that does something at once, for those who may. */
export function Attempt({
  text,
  label,
  run,
}: {
  text: string;
  /** Begins with the text, and says of what: several such buttons may be on a page. */
  label: string;
  run(): Promise<unknown>;
}) {
  const isAllowed = useLive(({ session }) => mayOperate(session));
  const [failed, attempt] = useAttempt();
  const [isDone, setDone] = useState(false);
  if (!isAllowed) return null;
  return (
    <>
      <button
        type="button"
        aria-label={label}
        onClick={() => void attempt(() => run().then(() => setDone(true)))}
      >
        {text}
      </button>
      {failed ? <Failure error={failed} /> : isDone && <span role="status"> done</span>}
    </>
  );
}

/** What it ends disappears when its service reports that. */
export function End({ of, run }: { of: string; run(): Promise<unknown> }) {
  return <Attempt text="End" label={`End: ${of}`} run={run} />;
}
