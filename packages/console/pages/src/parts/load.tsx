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
    let isAnswered = false;
    async function run() {
      try {
        if (!document.hidden || !isAnswered) {
          const value = await ask(stopped.signal);
          if (stopped.signal.aborted) return;
          isAnswered = true;
          setState({ key, value });
        }
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
  title,
  run,
}: {
  text: string;
  /** Begins with the text, and says of what: several such buttons may be on a page. */
  label: string;
  title?: string;
  run(): Promise<unknown>;
}) {
  const isAllowed = useLive(({ session }) => mayOperate(session));
  const [result, setResult] = useState<Error | 'done'>();
  async function attempt() {
    setResult(undefined);
    setResult(await run().then(() => 'done' as const, asError));
  }
  if (!isAllowed) return null;
  return (
    <>
      <button type="button" aria-label={label} title={title} onClick={() => void attempt()}>
        {text}
      </button>
      {result === 'done' && <span role="status"> done</span>}
      {result instanceof Error && <Failure error={result} />}
    </>
  );
}

/** What it ends disappears when its service reports that. */
export function End({ of, run }: { of: string; run(): Promise<unknown> }) {
  return <Attempt text="End" label={`End: ${of}`} run={run} />;
}
