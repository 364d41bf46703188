import { useRef, useState } from 'preact/hooks';
import { CallFailed } from '../live/api.ts';

/**
 * Sends a form's request; repeating it after a lost response has no second effect.
 *
 * @param content repeating it repeats the request
 */
export function useSubmit(
  run: (request: { key: string; at: number }) => Promise<void>,
  content: readonly unknown[],
) {
  const [isSent, setIsSent] = useState(false);
  const [problem, setProblem] = useState<unknown>();
  const sent = useRef({ text: '', key: '', at: 0 });
  async function submit(event: Event) {
    event.preventDefault();
    setIsSent(true);
    setProblem(undefined);
    const text = JSON.stringify(content);
    if (sent.current.text !== text) sent.current = { text, key: newKey(), at: Date.now() };
    try {
      await run(sent.current);
    } catch (error) {
      setProblem(error);
      setIsSent(false);
    }
  }
  const isRejected = problem instanceof CallFailed && problem.status === 409;
  return { isSent, problem, isRejected, submit };
}

/** `crypto.randomUUID` only exists in pages that were loaded over TLS. */
function newKey(): string {
  return [...crypto.getRandomValues(new Uint32Array(4))].map((n) => n.toString(36)).join('');
}
