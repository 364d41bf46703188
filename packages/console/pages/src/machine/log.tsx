import type { LogLine } from '@skolo/api/swarming-client';
import { useEffect, useRef, useState } from 'preact/hooks';
import { machineState } from '../live/api.ts';
import { useLive } from '../live/store.ts';
import { asError, Failure } from '../parts/load.tsx';
import { exact } from '../parts/time.tsx';

const everyMs = 2000;
/** Older lines of the log are no longer shown. */
const mostLines = 1000;

/** Log lines of the agent and the bot, as they arrive while it is open. */
export function Log({ name }: { name: string }) {
  const [isOpen, setIsOpen] = useState(false);
  return (
    <details open={isOpen} onToggle={({ currentTarget }) => setIsOpen(currentTarget.open)}>
      <summary>
        <h2>Log</h2>
      </summary>
      {isOpen && <Lines name={name} />}
    </details>
  );
}

function Lines({ name }: { name: string }) {
  const timezone = useLive(({ rack }) => rack?.timezone);
  const [lines, setLines] = useState<LogLine[]>([]);
  const [failed, setFailed] = useState<Error>();
  const box = useRef<HTMLElement>(null);

  useEffect(() => {
    const stopped = new AbortController();
    let after: number | undefined;
    let timer: number | undefined;
    async function poll() {
      try {
        const query = { lines: after === undefined ? 200 : mostLines, after };
        const answer = await machineState.log({
          params: { name },
          query,
          signal: stopped.signal,
        });
        const last = answer.lines.at(-1);
        if (last) {
          after = last.number;
          setLines((old) => [...old, ...answer.lines].slice(-mostLines));
        }
        setFailed(undefined);
      } catch (error) {
        if (stopped.signal.aborted) return;
        setFailed(asError(error));
      }
      if (!stopped.signal.aborted) timer = window.setTimeout(poll, everyMs);
    }
    void poll();
    return () => {
      stopped.abort();
      clearTimeout(timer);
    };
  }, [name]);

  // Follows the end, unless the user has scrolled up.
  const isAtEnd = box.current
    ? box.current.scrollHeight - box.current.scrollTop - box.current.clientHeight < 20
    : true;
  useEffect(() => {
    if (isAtEnd && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [lines]);

  return (
    <>
      {failed && <Failure error={failed} />}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls */}
      <section class="log" ref={box} tabIndex={0} aria-label={`Log of ${name}`}>
        {lines.map(({ number, at, from, text }) => (
          <div key={number}>
            <span class="muted">
              {exact(at, timezone, false)} {from.padEnd(5)}
            </span>{' '}
            {text}
          </div>
        ))}
      </section>
    </>
  );
}
